"""The selection of label records as rows: as known then, one a prediction, matured, usable, split in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration
from hindsight.core.times import microseconds, moment_text
from hindsight.datasets.dataset import Maturity, Part
from hindsight.datasets.formats.columns import MISSING, Categories, Column
from hindsight.datasets.formats.record_keys import Flags, Places, RecordKeys, RowKeys, by_place, newest_of
from hindsight.datasets.maturity import age_of_maturity
from hindsight.datasets.records.record_scan import RecordScan, Span, join_columns
from hindsight.datasets.split import split_moments


@dataclass(frozen=True, eq=False, kw_only=True)
class RowSelection:
    """The rows that are kept, those to train on first, each part in the order of the predictions' times.

    ``labels`` and ``otherwise`` are aligned with ``keys``; ``train`` is the number of rows to train on, ``dropped``
    those left out, by reason, and ``seen`` whether there was a record to see, by file. ``boundary`` and ``newest`` are
    as the manifest has them.
    """

    keys: RowKeys
    labels: Column
    otherwise: Flags
    train: int
    boundary: str
    newest: str
    dropped: dict[str, int]
    seen: list[bool]
    maturity: Maturity

    def place(self, part: Part) -> slice:
        """Locate the rows of a part."""
        return slice(0, self.train) if part == "train" else slice(self.train, None)

    @cached_property
    def by_file(self) -> Places:
        """The rows in the order of the files that hold them."""
        return np.argsort(self.keys.file, kind="stable")


def select(scans: Sequence[RecordScan], configuration: ModelConfiguration, span: Span) -> RowSelection:
    """Select the rows of a dataset from the records of some files."""
    usable = _usable_rows(scans, configuration.task, span)
    training, as_of = configuration.training, microseconds(span.last)
    occurred, due = usable.keys.occurred[usable.places], usable.keys.due[usable.places]
    maturity = age_of_maturity(occurred, due, as_of, training.maturity)
    mature = usable.places[occurred <= as_of - maturity.age]
    kept = mature[-training.max_rows :]
    occurred, due = usable.keys.occurred[kept], usable.keys.due[kept]
    train, first = split_moments(occurred, due, training.holdout)
    chosen = np.concatenate([kept[train], kept[first:]])
    boundary = moment_text(int(occurred[first])) if len(kept) else ""
    left = {
        "immature_cohort": len(usable.places) - len(mature),
        "beyond_max_rows": len(mature) - len(kept),
        "gap": len(kept) - len(chosen),
    }
    return usable.selection(chosen, len(train), boundary, left, maturity)


def select_all(scans: Sequence[RecordScan], task: Task, span: Span) -> RowSelection:
    """Select every row that a dataset could have, none of them for a holdout."""
    usable = _usable_rows(scans, task, span)
    return usable.selection(usable.places, len(usable.places), "", {}, Maturity(age=0, history=0))


@dataclass(frozen=True, eq=False, kw_only=True)
class _UsableRows:
    """All records seen, and the places of those that can be rows, in the order of the predictions' times."""

    keys: RecordKeys
    labels: Column
    places: Places
    otherwise: Flags
    dropped: dict[str, int]
    seen: list[bool]

    def selection(
        self, places: Places, train: int, boundary: str, left: dict[str, int], maturity: Maturity
    ) -> RowSelection:
        """Select some of the rows."""
        rows = self.keys.rows_at(places)
        return RowSelection(
            keys=rows,
            labels=at(self.labels, places),
            otherwise=self.otherwise[places],
            train=train,
            boundary=boundary,
            newest=moment_text(int(np.maximum(rows.known, rows.due).max())) if len(places) else "",
            dropped=self.dropped | left,
            seen=self.seen,
            maturity=maturity,
        )


def _usable_rows(scans: Sequence[RecordScan], task: Task, span: Span) -> _UsableRows:
    """Find the newest record of each prediction, where it has a value that the task can have."""
    seen = [scan.keys(number, span) for number, scan in enumerate(scans)]
    labels = _joined_labels(
        [at(scan.values("value", task), keys.row) for scan, keys in zip(scans, seen, strict=True)], task
    )
    keys, has_seen = RecordKeys.joined(seen), [len(found.seq) > 0 for found in seen]
    del seen
    newest = newest_of(keys)
    places = newest.places[by_place(keys.occurred[newest.places], keys.names[newest.places])]
    otherwise = np.zeros(len(keys.seq), dtype=bool)
    otherwise[newest.places] = newest.otherwise
    labelled = keys.labelled[places]
    usable = labelled & _is_given(at(labels, places))
    dropped = {"unlabelled": int((~labelled).sum()), "unusable_value": int((labelled & ~usable).sum())}
    return _UsableRows(
        keys=keys, labels=labels, places=places[usable], otherwise=otherwise, dropped=dropped, seen=has_seen
    )


def at(column: Column, places: npt.NDArray[Any] | slice) -> Column:
    """Select some of a column's rows."""
    return column.at(places) if isinstance(column, Categories) else column[places]


def _is_given(labels: Column) -> Flags:
    given: Flags = labels.codes != MISSING if isinstance(labels, Categories) else ~np.isnan(labels)
    return given


def _joined_labels(parts: Sequence[Column], task: Task) -> Column:
    if parts:
        return join_columns(parts)
    return Categories(np.zeros(0, dtype=np.int32), ()) if task is Task.MULTICLASS else np.zeros(0)
