"""Merge the small objects of the log and of label records into packs, hour by hour.

A pack is in the lake and read back before anything it holds is removed, and what was written again since stays. So a
crash anywhere leaves rows twice at worst, which every reader takes once. What another writer has put among the objects
stays where it is, and holds up nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, takewhile

from hindsight.core.attempts import Attempts
from hindsight.core.errors import HindsightError
from hindsight.lake.object_store import (
    LABELS,
    MERGED,
    PREDICTIONS,
    Entry,
    Lake,
    day_prefix,
    model_prefix,
    partition_of,
)
from hindsight.lake.pack import is_full, is_pack
from hindsight.lake.repack import Repacking

# A stream keeps a record for a day: a day that ended two days ago gets hardly any more objects.
SETTLED = timedelta(days=2)
# The unzipped size of a full pack; readers of label records hold all of one as Python objects.
PACK_BYTES = {PREDICTIONS: 64 << 20, LABELS: 32 << 20}
MAX_OPEN = 8
MAX_SETTLED = 2
_RECENT = timedelta(days=1)
_ROWS = (".jsonl", ".jsonl.gz")


class PackingFailed(HindsightError):
    """Some days could not be packed; they are as they were, and the others are packed."""

    code = "packing_failed"


@dataclass(slots=True)
class PackingReport:
    """The result of a sweep: the number of merged objects, and of packs written.

    ``unreadable`` are the keys of damaged and of foreign objects, which stay as they are.
    """

    objects: int = 0
    packs: int = 0
    unreadable: list[str] = field(default_factory=list)
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Packer:
    """The packer of a model's small objects.

    A day has at most ``MAX_OPEN`` packs that are not full, a settled day at most ``MAX_SETTLED`` objects. Every other
    object is a full pack of ``PACK_BYTES``, or was written since the last sweep.
    """

    lake: Lake

    def sweep(self, model: str, now: datetime, has_time: Callable[[], bool]) -> PackingReport:
        """Pack the objects that are small by ``now`` while there is time; the next sweep goes on with the rest.

        Raises PackingFailed once all days have been tried.
        """
        report, days = PackingReport(), Attempts()
        settled = (now - SETTLED).astimezone(UTC).date()
        for kind in (PREDICTIONS, LABELS):
            for day, entries in self._days(kind, model, (now - _RECENT).astimezone(UTC).date(), report):
                if kind == LABELS and day < settled:
                    continue  # these become Parquet
                if not has_time():
                    report.is_complete = False
                    return report
                with days.attempt(f"{kind} of {model} {day}"):
                    chosen = _chosen(entries, is_settled=day < settled)
                    self._pack(kind, day_prefix(kind, model, day), chosen, has_time, report)
        days.raise_failures(PackingFailed, "pack")
        return report

    def _days(self, kind: str, model: str, recent: date, report: PackingReport) -> Iterator[tuple[date, list[Entry]]]:
        """List the days that have objects, recent days first, so that a backlog does not delay them."""
        first, prefix = day_prefix(kind, model, recent), model_prefix(kind, model)
        older = takewhile(lambda entry: entry.key <= first, self.lake.entries(prefix))
        for entries in (self.lake.entries(prefix, after=first), older):
            for day, found in groupby(_dated(entries, kind, model, report), lambda dated: dated[0]):
                yield day, [entry for _, entry in found]

    def _pack(
        self, kind: str, prefix: str, chosen: Sequence[Entry], has_time: Callable[[], bool], report: PackingReport
    ) -> None:
        if not chosen:
            return
        repacking = Repacking(self.lake, prefix, PACK_BYTES[kind])
        report.is_complete &= repacking.run(chosen, has_time)
        report.objects += repacking.removed
        report.packs += repacking.written
        report.unreadable += repacking.unreadable


def _dated(entries: Iterable[Entry], kind: str, model: str, report: PackingReport) -> Iterator[tuple[date, Entry]]:
    """Date objects by the day they lie under; foreign ones are reported instead."""
    for entry in entries:
        day = partition_of(entry.key, kind, model)
        if day is None or not entry.key.endswith(_ROWS):
            report.unreadable.append(entry.key)
        else:
            yield day, entry


def _chosen(entries: Sequence[Entry], *, is_settled: bool) -> list[Entry]:
    """Choose the objects of a day to merge: loose ones, and open packs where there are too many of them.

    Packs come first, in their order, then loose objects in the order of their writing: of two parts of one name the
    last is the newest.
    """
    loose = sorted(
        (found for found in entries if _is_loose(found.key)), key=lambda found: (found.written_at, found.key)
    )
    packs = [found for found in entries if is_pack(found.key) and not is_full(found.key)]
    if is_settled:
        return [*packs, *loose] if len(packs) + len(loose) > MAX_SETTLED else []
    if len(packs) + bool(loose) > MAX_OPEN:
        return [*packs, *loose]
    return loose if len(loose) > 1 else []


def _is_loose(key: str) -> bool:
    return not is_pack(key) and not key.rpartition("/")[2].startswith(MERGED)
