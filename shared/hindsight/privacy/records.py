"""Compacted label records without a subject's: the Parquet file and its lines, under the name of what is left."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from hindsight.core.errors import NotFound
from hindsight.core.times import microseconds
from hindsight.datasets.building.compaction import PARQUET_TYPE
from hindsight.datasets.dataset import Source
from hindsight.datasets.formats.record_table import PARQUET, escaped
from hindsight.datasets.records.record_files import file_digest, merged_name, name_of
from hindsight.lake.object_store import COMPACTED, LABELS, Lake, read_if_present
from hindsight.privacy.passes import Progress
from hindsight.privacy.redaction import redact_lines
from hindsight.privacy.stores import ObjectVersion, ObjectVersions
from hindsight.privacy.subject import Subject

_redact = redact_lines(Subject.owns_record)


@dataclass(frozen=True, slots=True)
class RecordRedactor:
    """The rewriter of Parquet files; ``scratch`` is a folder to work in."""

    lake: Lake
    versions: ObjectVersions
    connection: duckdb.DuckDBPyConnection
    scratch: Path

    def redact(
        self,
        versions: list[ObjectVersion],
        subject: Subject,
        progress: Progress,
        before_replacing: Callable[[Source, Source | None], None],
    ) -> None:
        """Take the subject's records out of all versions of one Parquet file and of its object of lines.

        What is left is in the lake, in both forms, before what was there is removed.
        """
        for version in versions:
            path = self.scratch / "before.parquet"
            try:
                path.write_bytes(self.versions.read(version))
            except NotFound:
                continue
            rows = self._rows_of(path, subject)
            if not rows:
                continue
            if version.is_current:
                left = self._left(path, subject)
                name = name_of(version.key)
                new = None if left is None else Source(_renamed(version.key, left[0]), left[0])
                before_replacing(Source(version.key, name), new)
                for emptied in self._emptied(path, subject):
                    before_replacing(emptied, None)
                lines = _lines_key(version.key)
                if new is not None and left is not None:
                    self.lake.upload(left[1], new.key, PARQUET_TYPE)
                    self._copy_lines(lines, _lines_key(new.key), subject)
                self.lake.delete(version.key)
                self.lake.delete(lines)
                self.versions.purge([found for found in self.versions.under(lines) if found.key == lines])
                progress.counts[COMPACTED] += rows
            self.versions.purge([version])

    def _rows_of(self, path: Path, subject: Subject) -> int:
        return self._count(_COUNT + _THEIRS, path, subject)

    def _left(self, path: Path, subject: Subject) -> tuple[str, Path] | None:
        """Write the file of the records left; return it with its digest, None if none is left."""
        if not self._count(_COUNT + _OTHERS, path, subject):
            return None
        after = self.scratch / "after.parquet"
        left = _ROWS + _OTHERS + " ORDER BY file_row_number"
        self.connection.execute(f"COPY ({left}) TO '{escaped(str(after))}' ({PARQUET})", [str(path), *_asked(subject)])
        return file_digest(after), after

    def _emptied(self, path: Path, subject: Subject) -> list[Source]:
        """List the original objects of the records of which none is left: datasets may still name them."""
        asked = [str(path), *_asked(subject)]
        found = self.connection.execute(f"{_OBJECTS}{_THEIRS} EXCEPT {_OBJECTS}{_OTHERS}", asked + asked).fetchall()
        return [Source(key, digest) for key, digest in found]

    def _count(self, query: str, path: Path, subject: Subject) -> int:
        found = self.connection.execute(query, [str(path), *_asked(subject)]).fetchone()
        return int(found[0]) if found else 0

    def _copy_lines(self, before: str, after: str, subject: Subject) -> None:
        if (content := read_if_present(self.lake, before)) is None:
            return
        redacted = _redact(subject, content)
        left = content if redacted is None else redacted.content
        self.lake.write_bytes(after, left or gzip.compress(b"", mtime=0), "application/x-ndjson")


_COUNT = "SELECT count(*) FROM read_parquet(?) WHERE "
_OBJECTS = "SELECT object, object_digest FROM read_parquet(?) WHERE "
_ROWS = "SELECT * EXCLUDE (file_row_number) FROM read_parquet(?, file_row_number = true) WHERE "
# Whatever is of an entity's predictions, and its records up to the request.
_THEIRS = "(list_contains(?, prediction_id) OR coalesce(entity_id = ? AND occurred_us <= ?, false))"
_OTHERS = "NOT " + _THEIRS


def _asked(subject: Subject) -> list[object]:
    return [sorted(subject.prediction_ids), subject.entity_id, microseconds(subject.at)]


def _renamed(key: str, name: str) -> str:
    return f"{key.rpartition('/')[0]}/{name}.parquet"


def _lines_key(key: str) -> str:
    folder, _, _ = key.rpartition("/")
    return f"{LABELS}{folder.removeprefix(COMPACTED)}/{merged_name(name_of(key))}"
