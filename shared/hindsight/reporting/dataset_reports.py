"""The reports on datasets: their records, their manifests, and links to their parts."""

import json
from dataclasses import dataclass
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.datasets.dataset import PARTS, Part, parquet_name
from hindsight.lake.object_store import Lake, dataset_prefix
from hindsight.registry.store import Registry
from hindsight.registry.version import DatasetRecord
from hindsight.reporting.status import LINKS_LAST

# A manifest names every object that held rows: of a large dataset more than an answer may hold. The link has them all.
MAX_SOURCES = 1_000
FORMAT = "parquet"


@dataclass(frozen=True, slots=True)
class DatasetReports:
    """The reports of datasets; every method raises NotFound for an unknown model."""

    configurations: ConfigurationStore
    registry: Registry
    lake: Lake

    def newest(self, model: str, limit: int, before: str | None = None) -> list[DatasetRecord]:
        """List datasets, newest first, older than the one named ``before``."""
        self.configurations.newest(model)
        return self.registry.datasets(model, limit, before)

    def show(self, model: str, dataset_id: str, *, with_labels: bool) -> dict[str, Any]:
        """Show a dataset: its manifest and links to its parts, the holdout's labels only ``with_labels``.

        A link gives a whole object, so that the holdout is stored without labels, too. Of an expired dataset the
        manifest is left. Raises NotFound.
        """
        self.configurations.newest(model)
        record = self.registry.dataset(model, dataset_id)
        manifest = json.loads(self.lake.read_bytes(record.manifest_key))
        sources = manifest.pop("sources", [])
        return {
            **record.to_plain(),
            "manifest": {**manifest, "sources": sources[:MAX_SOURCES]},
            "sources_total": len(sources),
            "manifest_url": self._link(record.manifest_key),
            "parts": self._parts(record, model, with_labels=with_labels),
        }

    def _parts(self, record: DatasetRecord, model: str, *, with_labels: bool) -> dict[str, Any]:
        prefix = dataset_prefix(model, record.dataset_id)
        stored = set(self.lake.keys(prefix)) if record.expired_at is None else set()

        def shown(part: Part) -> dict[str, Any]:
            labels = with_labels or part == "train"
            key = prefix + parquet_name(part, with_labels=labels)
            return {"format": FORMAT, "labels": labels, **({"url": self._link(key)} if key in stored else {})}

        return {part: shown(part) for part in PARTS}

    def _link(self, key: str) -> str:
        return self.lake.link(key, LINKS_LAST)
