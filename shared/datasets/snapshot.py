"""Freeze what is known at one moment into a dataset that can be built again bit for bit."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, median
from typing import Any

from shared.configuration.labels import canonical_text
from shared.configuration.metrics import Task
from shared.configuration.model import ModelConfiguration, unfit_label
from shared.configuration.store import ConfigurationRevision
from shared.datasets.dataset import Manifest, Part, digest_of, name_dataset, write_dataset
from shared.datasets.examples import Examples, Row, read_examples
from shared.datasets.split import split_by_time
from shared.lake import EXAMPLES, Lake, keys_between
from shared.registry.version import DatasetRecord
from shared.times import format_time

MIN_TRAIN_ROWS = 50
MIN_HOLDOUT_ROWS = 20

_BINARY_CLASSES = {"true": "1", "false": "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A manifest and the rows of its parts."""

    manifest: Manifest
    parts: Mapping[Part, Sequence[Row]]

    @property
    def record(self) -> DatasetRecord:
        """What the registry keeps of it."""
        manifest = self.manifest
        return DatasetRecord(
            dataset_id=manifest.dataset_id,
            manifest_key=manifest.key("manifest.json"),
            digest=manifest.digest,
            as_of=manifest.as_of,
            configuration_revision=manifest.configuration_revision,
            counts=manifest.counts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why there is nothing to train on: a code, and the numbers behind it."""

    reason: str
    detail: str


def take_snapshot(
    lake: Lake, revision: ConfigurationRevision, as_of: datetime, previous: DatasetRecord | None = None
) -> Dataset | Refusal:
    """Build and store the dataset as of a moment, or return why there is none.

    ``previous`` is the dataset of the last run that came to a verdict: one that adds nothing to it is refused.
    """
    configuration = revision.configuration
    start = as_of - configuration.training.window
    examples = read_examples(lake, keys_between(lake, EXAMPLES, configuration.model, start, as_of), start, as_of)
    dataset = assemble(examples, revision, as_of)
    refusal = refuse(dataset, configuration.task, previous)
    if refusal is not None:
        return refusal
    write_dataset(lake, dataset.manifest, dataset.parts)
    return dataset


def rebuild(lake: Lake, manifest: Manifest, revision: ConfigurationRevision) -> Dataset:
    """Return the dataset of a manifest, built again from its sources. Raises UnusableDataset if one has changed."""
    keys = [source.key for source in manifest.sources]
    examples = read_examples(lake, keys, manifest.window_start, manifest.as_of, manifest.sources)
    return assemble(examples, revision, manifest.as_of)


def assemble(examples: Examples, revision: ConfigurationRevision, as_of: datetime) -> Dataset:
    """Return the dataset that examples make under a configuration; pure, so that equal input gives equal bytes."""
    configuration = revision.configuration
    labelled = [row for row in examples.rows.values() if row.value is not None]
    usable = [row for row in labelled if _fits(row, configuration.task)]
    newest = sorted(usable, key=lambda row: row.place)[-configuration.training.max_rows :]
    split = split_by_time(newest, configuration.training.holdout)
    parts: dict[Part, list[Row]] = {
        "train": [newest[position] for position in split.train],
        "holdout": [newest[position] for position in split.holdout],
    }
    kept = parts["train"] + parts["holdout"]
    digest = digest_of(kept)
    dropped = {
        "unlabelled": len(examples.rows) - len(labelled),
        "unusable_value": len(labelled) - len(usable),
        "beyond_max_rows": len(usable) - len(newest),
        "gap": len(newest) - len(kept),
    }
    manifest = Manifest(
        dataset_id=name_dataset(as_of, digest),
        model=configuration.model,
        as_of=as_of,
        window_start=as_of - configuration.training.window,
        boundary=split.boundary,
        configuration_revision=revision.revision,
        rules_revisions=tuple(sorted({row.rules_revision for row in kept})),
        columns=tuple(configuration.features),
        counts={**{part: _counts(rows, configuration) for part, rows in parts.items()}, "dropped": dropped},
        digest=digest,
        part_digests={part: digest_of(rows) for part, rows in parts.items()},
        sources=tuple(examples.sources),
    )
    return Dataset(manifest=manifest, parts=parts)


def refuse(dataset: Dataset, task: Task, previous: DatasetRecord | None) -> Refusal | None:
    """Return why a dataset is not worth training on, None if it is."""
    for part, least in (("train", MIN_TRAIN_ROWS), ("holdout", MIN_HOLDOUT_ROWS)):
        rows = dataset.manifest.counts[part]["rows"]
        if rows < least:
            return Refusal(reason="too_few_rows", detail=f"{rows} rows to {part}, at least {least} are needed")
    for part, found in dataset.parts.items():
        if len({_class_of(row, task) for row in found}) < 2:
            return Refusal(reason="one_class", detail=f"every label of the {part} part is the same")
    if previous is not None and not _adds_to(dataset, previous):
        return Refusal(reason="no_new_information", detail=f"nothing matured or changed since {previous.dataset_id}")
    return None


def _adds_to(dataset: Dataset, previous: DatasetRecord) -> bool:
    """Tell whether a row, or the configuration, is newer: a window that only slid on has nothing to teach."""
    if dataset.manifest.configuration_revision != previous.configuration_revision:
        return True
    before = format_time(previous.as_of)
    return any(max(row.known_at, row.outcome_due_at) > before for rows in dataset.parts.values() for row in rows)


def _fits(row: Row, task: Task) -> bool:
    return row.value is not None and unfit_label(row.value, task) is None


def _class_of(row: Row, task: Task) -> str:
    text = canonical_text(row.value)
    return _BINARY_CLASSES.get(text, text) if task is Task.BINARY else text


def _counts(rows: Sequence[Row], configuration: ModelConfiguration) -> dict[str, Any]:
    if configuration.task is Task.REGRESSION:
        values = [float(row.value) for row in rows if row.value is not None] or [0.0]
        return {"rows": len(rows), "mean": fmean(values), "median": median(values)}
    classes = Counter(_class_of(row, configuration.task) for row in rows)
    return {"rows": len(rows), "classes": dict(sorted(classes.items()))}
