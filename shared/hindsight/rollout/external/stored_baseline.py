"""The baseline of a version from rows that were uploaded: their profile, and what it is of."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hindsight.config.model import ModelConfiguration
from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput
from hindsight.core.times import format_time
from hindsight.ingestion.scored_rows import scored_rows
from hindsight.lake.object_store import Lake
from hindsight.profiles.build import profile_rows
from hindsight.profiles.codec import CONTENT_TYPE, encode
from hindsight.profiles.reference import baseline_key, reference_key
from hindsight.profiles.sample import WINDOW_CAPACITY


@dataclass(frozen=True, slots=True)
class StoredBaselines:
    """The builder of baselines from uploads."""

    lake: Lake

    def build(self, configuration: ModelConfiguration, version: str, key: str, path: str, now: datetime) -> None:
        """Build a version's baseline of the rows of an upload. Raises InvalidInput with the path at fault."""
        model = configuration.model
        rows = _rows(self.lake, key, configuration, path)
        profile = profile_rows(rows, configuration.features, configuration.task, sample_capacity=WINDOW_CAPACITY)
        shown = {"rows": profile.rows, "built_at": format_time(now), "is_complete": True, "policy": {"key": key}}
        self.lake.write_bytes(reference_key(model, version), encode(profile), CONTENT_TYPE)
        # Last: what it describes is there.
        self.lake.write_bytes(baseline_key(model, version), compact_json.dumps(shown).encode(), "application/json")


def _rows(lake: Lake, key: str, configuration: ModelConfiguration, path: str) -> Iterator[dict[str, Any]]:
    for row in scored_rows(lake, key, configuration, path):
        if row.features is None:
            raise InvalidInput.at(f"{row.path}.features", "is required: a baseline is of features and scores")
        yield {
            "prediction_id": row.prediction_id or f"line {row.line}",
            "features": row.features,
            "score": row.scored.score,
            "decision": row.scored.decision,
        }
