"""Compaction: a day's many small objects of label records become a few large ones, as lines and as Parquet.

Nothing is removed before both are in the lake and read back. A crash anywhere leaves records twice at worst, which
every reader takes once.
"""

import gzip
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from hindsight.config.features import FeatureType
from hindsight.config.store import ConfigurationStore
from hindsight.core.attempts import Attempts
from hindsight.core.errors import HindsightError, UnreadableObject, UnusableDataset
from hindsight.datasets.building.snapshot import scratch_space
from hindsight.datasets.formats.record_table import StoredRecord, record_digest, write_records
from hindsight.datasets.records.record_files import (
    LakeObject,
    RecordLine,
    file_digest,
    is_merged,
    merged_name,
    read_objects,
)
from hindsight.lake.object_store import COMPACTED, LABELS, Lake, day_prefix, model_prefix, partition_of
from hindsight.lake.packer import SETTLED

PARQUET_TYPE = "application/vnd.apache.parquet"
# What becomes one file: as Python objects these are several times as large.
_MAX_BYTES = 64 << 20
_MAX_RECORDS = 100_000


# An object, its lines and the records they are.
Readable = tuple[LakeObject, list[RecordLine]]


class CompactionFailed(HindsightError):
    """Some days could not be compacted; they are as they were, and the others are compacted."""

    code = "compaction_failed"


@dataclass(slots=True)
class CompactionReport:
    """The result of a sweep: objects that became part of larger ones, the records in them, and the files those are.

    ``unreadable`` are the keys of objects that hold no label records or lie under no day; they stay as they are.
    """

    objects: int = 0
    records: int = 0
    files: int = 0
    unreadable: list[str] = field(default_factory=list)
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Compaction:
    """The compaction of the settled days of a model."""

    lake: Lake
    configurations: ConfigurationStore

    def sweep(self, model: str, now: datetime, has_time: Callable[[], bool]) -> CompactionReport:
        """Compact the days that settled by ``now`` while there is time; the next sweep goes on with the rest.

        Raises CompactionFailed once all days have been tried.
        """
        report, days = CompactionReport(), Attempts()
        features = self.configurations.current(model).configuration.feature_types
        for day in list(self._open_days(model, (now - SETTLED).astimezone(UTC).date(), report)):
            if not has_time():
                report.is_complete = False
                return report
            with days.attempt(f"{model} {day}"):
                self._compact_day(model, day, features, has_time, report)
        days.raise_failures(CompactionFailed, "compact")
        return report

    def _open_days(self, model: str, settled: date, report: CompactionReport) -> Iterator[date]:
        """Find the days before a day that have small objects; one listing, not beyond that day."""
        prefix, last = model_prefix(LABELS, model), None
        for key in self.lake.keys(prefix):
            day = partition_of(key, LABELS, model)
            if day is None:
                report.unreadable.append(key)
            elif day >= settled:
                return
            elif day != last and not is_merged(key):
                last = day
                yield day

    def _compact_day(
        self,
        model: str,
        day: date,
        features: Mapping[str, FeatureType],
        has_time: Callable[[], bool],
        report: CompactionReport,
    ) -> None:
        prefix = day_prefix(LABELS, model, day)
        tags = {
            key: tag
            for key, tag in self.lake.tags(prefix)
            if not is_merged(key) and partition_of(key, LABELS, model) is not None
        }
        for group in self._groups(tags, report):
            if not has_time():
                report.is_complete = False
                return
            with scratch_space() as (connection, scratch):
                records = _DayFile(self.lake, model, day, connection, scratch).keep(group, features)
            self.lake.remove(prefix, {given.key: tags[given.key] for given, _ in group})
            report.objects += len(group)
            report.records += records
            report.files += 1

    def _groups(self, tags: Mapping[str, str], report: CompactionReport) -> Iterator[list[Readable]]:
        """Group objects with their lines, as many together as become one file."""
        group: list[Readable] = []
        size = count = 0
        for given in read_objects(self.lake, tags):
            try:
                lines = given.lines()
            except UnusableDataset:
                report.unreadable.append(given.key)
                continue
            group.append((given, lines))
            size += sum(len(line) for line, _ in lines)
            count += len(lines)
            if size >= _MAX_BYTES or count >= _MAX_RECORDS:
                yield group
                group, size, count = [], 0, 0
        if group:
            yield group


@dataclass(frozen=True, slots=True)
class _DayFile:
    """One group of objects as one Parquet file and one object of lines, both read back."""

    lake: Lake
    model: str
    day: date
    connection: duckdb.DuckDBPyConnection
    scratch: Path

    def keep(self, group: Sequence[Readable], features: Mapping[str, FeatureType]) -> int:
        """Store the records of a group in both forms; count them. Raises UnreadableObject."""
        records = [stored for _, lines in group for _, stored in lines]
        path = self.scratch / "records.parquet"
        write_records(self.connection, path, records, features)
        # Named by what it holds, a file is never another one, and a repeated step writes the same again.
        name = file_digest(path)
        key = f"{day_prefix(COMPACTED, self.model, self.day)}{name}.parquet"
        self.lake.upload(path, key, PARQUET_TYPE)
        path.unlink()
        self._require_readable(key, name, records)
        merged = f"{day_prefix(LABELS, self.model, self.day)}{merged_name(name)}"
        content = gzip.compress(b"".join(line + b"\n" for _, lines in group for line, _ in lines), 6, mtime=0)
        self.lake.write_bytes(merged, content, "application/x-ndjson")
        if hashlib.sha256(self.lake.read_bytes(merged)).digest() != hashlib.sha256(content).digest():
            raise UnreadableObject(f"{merged} does not read back as it was written")
        return len(records)

    def _require_readable(self, key: str, name: str, records: Sequence[StoredRecord]) -> None:
        """Read a file back from the lake and compare it with the records it was made of."""
        path = self.scratch / "again.parquet"
        self.lake.download(key, path)
        found = self.connection.execute(
            "SELECT prediction_id, seq, object, record_digest "
            "FROM read_parquet(?, file_row_number = true) ORDER BY file_row_number",
            [str(path)],
        ).fetchall()
        wanted = [
            (stored.record["prediction_id"], stored.record["seq"], stored.object, record_digest(stored.record))
            for stored in records
        ]
        if file_digest(path) != name or found != wanted:
            raise UnreadableObject(f"{key} does not read back as it was written")
