"""The checks of a dataset before it is trained on: schema, rows, classes, label shift, new information."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from hindsight.config.metrics import Task
from hindsight.core.times import format_time
from hindsight.datasets.dataset import PARTS, Manifest, Part
from hindsight.datasets.label_shift import label_shift
from hindsight.registry.version import DatasetRecord

TOO_FEW_ROWS = "too_few_rows"
MIN_TRAIN_ROWS = 50
MIN_HOLDOUT_ROWS = 20
# From which share on what does not fit is no accident but another schema.
SCHEMA_SHARE = 0.5
_DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetCheckFailure:
    """A failed check of a dataset: a code, and the numbers behind it."""

    reason: str
    detail: str


def check_dataset(
    dataset: Manifest,
    previous: DatasetRecord | None = None,
    before: Manifest | None = None,
    *,
    max_label_shift: float | None = None,
) -> DatasetCheckFailure | None:
    """Check whether a dataset is worth training on; return the first failure, None if there is none.

    ``previous`` is the dataset of the last run that came to a verdict, ``before`` its manifest where it can be read.
    A schema change is reported before its consequences: rows that do not fit are left out and then too few.
    """
    reasons = _failures(dataset, previous, before, max_label_shift)
    return next(reasons, None)


def _failures(
    dataset: Manifest, previous: DatasetRecord | None, before: Manifest | None, max_label_shift: float | None
) -> Iterator[DatasetCheckFailure]:
    if problem := _other_labels(dataset):
        yield DatasetCheckFailure(reason="schema_change", detail=problem)
    if problem := _unrepresentative(dataset):
        yield DatasetCheckFailure(reason="short_history", detail=problem)
    for part, least in (("train", MIN_TRAIN_ROWS), ("holdout", MIN_HOLDOUT_ROWS)):
        rows = dataset.rows[part]
        if rows < least:
            detail = f"{rows} rows to {part}, at least {least} are needed{_uncut(dataset, part)}"
            yield DatasetCheckFailure(reason=TOO_FEW_ROWS, detail=detail)
    if dataset.counts["train"]["rows"] and not any(dataset.present["train"].values()):
        rows = dataset.counts["train"]["rows"]
        yield DatasetCheckFailure(reason="no_features", detail=f"no feature has a value in {rows} rows to train on")
    for problem in (*_unfit_features(dataset), *_vanished_features(dataset, before)):
        yield DatasetCheckFailure(reason="schema_change", detail=problem)
    for part in PARTS:
        if _is_constant(dataset, part):
            yield DatasetCheckFailure(reason="one_class", detail=f"every label of the {part} part is the same")
    if max_label_shift is not None and (problem := label_shift(dataset, max_label_shift)):
        yield DatasetCheckFailure(reason="label_shift", detail=problem)
    if previous is not None and not _adds_to(dataset, previous):
        yield DatasetCheckFailure(
            reason="no_new_information", detail=f"nothing matured or changed since {previous.dataset_id}"
        )


def _unrepresentative(dataset: Manifest) -> str | None:
    """Describe a window that shows the quick outcomes alone, None where it is long enough for nearly all of them."""
    age, history = dataset.maturity.age, dataset.maturity.history
    if not dataset.rows["immature"] or 2 * age <= history:
        return None
    return (
        f"outcomes are due up to {age / _DAY:.0f} days after the prediction, and the oldest of the window is only "
        f"{history / _DAY:.0f} days old: what is due so far is no sample of what comes in; set training.window to "
        f"P{ceil(3 * age / _DAY)}D or more, or wait until the history is as long"
    )


def _uncut(dataset: Manifest, part: str) -> str:
    """Explain a split in time that left nothing, or little, to train on."""
    gap, holdout = dataset.counts["dropped"]["gap"], dataset.counts["holdout"]["rows"]
    if part != "train" or not holdout:
        return ""
    if gap:
        return (
            f": {gap} more were made before the holdout began, {dataset.boundary}, and were not due by then; a longer "
            "training.window, a smaller training.holdout or shorter windows of the rules leave more"
        )
    if dataset.counts["train"]["rows"]:
        return ""
    return (
        f": all {holdout} labelled predictions are of one moment, {dataset.boundary}, and a split in time cannot cut "
        "them; log each with the occurred_at it was made at"
    )


def _other_labels(dataset: Manifest) -> str | None:
    unusable = dataset.counts["dropped"]["unusable_value"]
    labelled = _rows(dataset) + sum(dataset.counts["dropped"].values()) - dataset.counts["dropped"]["unlabelled"]
    if not unusable or unusable < SCHEMA_SHARE * labelled:
        return None
    return f"{unusable} of {labelled} labels of the window cannot be those of a {dataset.task} task"


def _unfit_features(dataset: Manifest) -> Iterator[str]:
    rows, declared = _rows(dataset), dict(dataset.columns)
    for name, count in dataset.unfit.items():
        if count >= SCHEMA_SHARE * rows:
            yield f"{name!r} is declared {declared[name]}, and {count} of {rows} rows have a value of another type"


def _vanished_features(dataset: Manifest, before: Manifest | None) -> Iterator[str]:
    """Find the features that most rows had on one side of the split, or in the last run, and none has on the other."""
    train_rows, holdout_rows = (dataset.counts[part]["rows"] for part in PARTS)
    for name in dataset.present["train"]:
        train, holdout = (dataset.present[part][name] for part in PARTS)
        came, went = holdout >= SCHEMA_SHARE * holdout_rows, train >= SCHEMA_SHARE * train_rows
        if (came and not train) or (went and not holdout):
            yield (
                f"{name!r} has a value in {train} of {train_rows} rows to train on, "
                f"in {holdout} of {holdout_rows} of the holdout"
            )
        had = sum(before.present[part].get(name, 0) for part in PARTS) if before else 0
        if before is not None and not train + holdout and had >= SCHEMA_SHARE * _rows(before):
            yield (
                f"{name!r} has no value in any of {_rows(dataset)} rows, "
                f"in {before.dataset_id} it had one in {had} of {_rows(before)}"
            )


def _is_constant(dataset: Manifest, part: Part) -> bool:
    counts = dataset.counts[part]
    if dataset.task is Task.REGRESSION:
        return bool(counts["least"] == counts["greatest"])
    return len(counts["classes"]) < 2


def _adds_to(dataset: Manifest, previous: DatasetRecord) -> bool:
    """Decide whether a row, or the configuration, is newer: a window that only moved on has nothing to teach."""
    is_reconfigured = dataset.configuration_revision != previous.configuration_revision
    return is_reconfigured or dataset.newest > format_time(previous.as_of)


def _rows(dataset: Manifest) -> int:
    return sum(int(dataset.counts[part]["rows"]) for part in PARTS)
