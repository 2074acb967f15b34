"""The files of label records: small objects as the stream wrote them, and the files they were compacted into."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from hindsight.config.features import FeatureType
from hindsight.core.errors import NotFound, UnreadableObject, UnusableDataset
from hindsight.datasets.dataset import Source
from hindsight.datasets.formats.record_table import StoredRecord, write_records
from hindsight.datasets.records.athena_query import ChosenRecords, write_chosen
from hindsight.datasets.records.record_scan import RecordFile
from hindsight.lake.object_store import COMPACTED, LABELS, MERGED, Lake, keys_between, model_prefix
from hindsight.lake.pack import Part, is_pack, parts_of
from hindsight.lake.rows import read_ahead

_LARGE_READERS = 3
# Records that are Python objects at one time: several kilobytes each, many more with very many features.
_MAX_BYTES = 32 << 20
_MAX_RECORDS = 20_000
_REQUIRED = {"prediction_id", "seq", "value", "features", "known_at", "occurred_at", "outcome_due_at", "rules_revision"}


@dataclass(slots=True)
class FoundFiles:
    """Files of label records on this machine; those of compacted objects of the lake with their keys."""

    files: list[RecordFile] = field(default_factory=list)
    compacted: dict[Path, tuple[Source, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordFiles:
    """The local copies of a model's label records, as Parquet files below ``scratch``."""

    lake: Lake
    model: str
    connection: duckdb.DuckDBPyConnection
    scratch: Path
    features: Mapping[str, FeatureType]

    def between(self, start: datetime, end: datetime, chosen: ChosenRecords | None = None) -> FoundFiles:
        """Find the files that hold every record that became known and due between two moments.

        What is compacted meanwhile is missed in neither form: objects are removed only after the file that holds their
        records exists, and files are looked for last. Records that were ``chosen`` already take the place of the files
        they were chosen from.
        """
        found, read, merged = FoundFiles(), set[str](), list[str]()
        while True:
            keys = list(keys_between(self.lake, LABELS, self.model, start, end))
            merged = [key for key in keys if is_merged(key)]
            fresh = [key for key in keys if not is_merged(key) and key not in read]
            present = list[str]()
            found.files += self._written(_noted(read_objects(self.lake, fresh), present))
            read.update(fresh)
            if len(present) == len(fresh):
                break  # else some were packed meanwhile: their pack was written before they went
        compacted = list(keys_between(self.lake, COMPACTED, self.model, start, end))
        names = {name_of(key) for key in compacted}
        alone = [key for key in merged if name_of(key) not in names]
        found.files += self._written(read_objects(self.lake, alone))
        self._download(found, [key for key in compacted if chosen is None or key not in chosen.covered])
        if chosen is not None:
            self._take_chosen(found, chosen)
        return found

    def of(self, sources: Sequence[Source]) -> FoundFiles:
        """Find the files that hold the records of some sources, and no others.

        A small object that is gone, or was written again, is taken from the pack it is in, or from the file it was
        compacted into.
        Raises UnusableDataset for a source that is not to be had as it was.
        """
        files = [source for source in sources if source.key.startswith(model_prefix(COMPACTED, self.model))]
        small = {source.key: source.digest for source in sources if source not in files}
        found, missing = FoundFiles(), dict(small)
        found.files += self._written(self._unchanged(small, missing))
        self._download(found, [source.key for source in files])
        for path, (source,) in found.compacted.items():
            if source not in files or file_digest(path) != source.digest:
                raise UnusableDataset(f"the object {source.key} is not the one the manifest names")
        found.files += self._written(self._packed(missing))
        self._take_from_compacted(found, missing)
        return found

    def _unchanged(self, wanted: Mapping[str, str], missing: dict[str, str]) -> Iterator["LakeObject"]:
        """Find the objects that are as they were, and remove them from the missing ones."""
        for given in read_objects(self.lake, wanted):
            if wanted[given.key] == given.digest:
                del missing[given.key]
                yield given

    def _packed(self, missing: dict[str, str]) -> Iterator["LakeObject"]:
        """Find the packs that hold missing objects, with no more of them, and remove those from the missing ones."""
        for day in sorted({key.rpartition("/")[0] for key in missing}):
            packs = (key for key in self.lake.keys(f"{day}/") if is_pack(key))
            for given in read_objects(self.lake, packs):
                held = {(source.key, source.digest) for source in given.sources()}
                wanted = {(key, digest) for key, digest in missing.items() if (key, digest) in held}
                if wanted:
                    yield replace(given, only=frozenset(wanted))
                for key, _ in wanted:
                    del missing[key]

    def _take_from_compacted(self, found: FoundFiles, missing: dict[str, str]) -> None:
        by_day: dict[str, set[tuple[str, str]]] = {}
        for key, digest in missing.items():
            day = key.removeprefix(model_prefix(LABELS, self.model)).split("/")[0]
            by_day.setdefault(day, set()).add((key, digest))
        for day, wanted in by_day.items():
            left = set(wanted)
            for key in self.lake.keys(f"{model_prefix(COMPACTED, self.model)}{day}/"):
                path = self._place(key)
                self.lake.download(key, path)
                held = set(
                    self.connection.execute(
                        "SELECT DISTINCT object, object_digest FROM read_parquet(?)", [str(path)]
                    ).fetchall()
                )
                if taken := held & left:
                    found.files.append(RecordFile(path, frozenset(taken)))
                    left -= taken
                else:
                    path.unlink()
            if left:
                raise UnusableDataset(f"the object {min(left)[0]} is not the one the manifest names")

    def _download(self, found: FoundFiles, keys: Sequence[str]) -> None:
        with ThreadPoolExecutor(_LARGE_READERS) as readers:
            for key, path in zip(keys, readers.map(self._fetch, keys), strict=True):
                found.files.append(RecordFile(path))
                found.compacted[path] = (Source(key, name_of(key)),)

    def _take_chosen(self, found: FoundFiles, chosen: ChosenRecords) -> None:
        answer, path = self.scratch / "chosen.csv", self.scratch / "chosen.parquet"
        self.lake.download(chosen.key, answer)
        write_chosen(self.connection, answer, path)
        answer.unlink()
        found.files.append(RecordFile(path))
        found.compacted[path] = tuple(Source(key, name_of(key)) for key in sorted(chosen.covered))

    def _fetch(self, key: str) -> Path:
        path = self._place(key)
        try:
            self.lake.download(key, path)
        except NotFound as error:
            raise UnusableDataset(f"the object {key} is gone") from error
        return path

    def _place(self, key: str) -> Path:
        return self.scratch / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.parquet"

    def _written(self, objects: Iterable["LakeObject"]) -> list[RecordFile]:
        """Convert objects to files, a bounded number of records at a time."""
        files: list[RecordFile] = []
        for records in batches(objects):
            path = self.scratch / f"lines-{len(list(self.scratch.iterdir())):06d}.parquet"
            write_records(self.connection, path, records, self.features)
            files.append(RecordFile(path))
        return files


class RecordLine(NamedTuple):
    """A line of an object, and the label record it is, from the object that the stream wrote it into."""

    line: bytes
    stored: StoredRecord


@dataclass(frozen=True, slots=True)
class LakeObject:
    """The bytes of an object of JSON lines and their SHA-256; ``only`` narrows a pack to some of its members."""

    key: str
    content: bytes
    digest: str
    only: frozenset[tuple[str, str]] | None = None

    def lines(self) -> list[RecordLine]:
        """Parse the lines and their records. Raises UnusableDataset for an object with a line that is none."""
        found = list[RecordLine]()
        for part in self._parts():
            source = part.member
            if self.only is not None and (source.key, source.digest) not in self.only:
                continue
            try:
                records = [json.loads(line) for line in part.lines]
            except (ValueError, RecursionError) as error:
                raise UnusableDataset(f"the object {self.key} is damaged") from error
            if not all(isinstance(record, dict) and record.keys() >= _REQUIRED for record in records):
                raise UnusableDataset(f"the object {self.key} holds a line that is no label record")
            found += [
                RecordLine(line, StoredRecord(record, source.key, source.digest))
                for line, record in zip(part.lines, records, strict=True)
            ]
        return found

    def sources(self) -> list[Source]:
        """List the objects that the lines were read from. Raises UnusableDataset for a damaged one."""
        return [Source(part.member.key, part.member.digest) for part in self._parts()]

    def _parts(self) -> Iterator[Part]:
        try:
            yield from parts_of(self.key, self.content)
        except UnreadableObject as error:
            raise UnusableDataset(f"the object {self.key} is damaged") from error


def batches(objects: Iterable[LakeObject]) -> Iterator[list[StoredRecord]]:
    """Read the records of objects in their order, a bounded number at a time. Raises UnusableDataset."""
    batch: list[StoredRecord] = []
    size = 0
    for given in objects:
        for line, stored in given.lines():
            if batch and (size + len(line) > _MAX_BYTES or len(batch) >= _MAX_RECORDS):
                yield batch
                batch, size = [], 0
            batch.append(stored)
            size += len(line)
    if batch:
        yield batch


def _noted(objects: Iterable[LakeObject], present: list[str]) -> Iterator[LakeObject]:
    for given in objects:
        present.append(given.key)
        yield given


def is_merged(key: str) -> bool:
    """Decide whether an object of label records is one that others were merged into."""
    return key.rpartition("/")[2].startswith(MERGED)


def merged_name(name: str) -> str:
    """Name the object of lines that holds the records of a Parquet file."""
    return f"{MERGED}{name}.jsonl.gz"


def name_of(key: str) -> str:
    """Find the name that a Parquet file of records and its object of lines share: the SHA-256 of the file.

    >>> name_of("labels/model=m/date=2026-03-01/merged-ab.jsonl.gz")
    'ab'
    >>> name_of("compacted/model=m/date=2026-03-01/ab.parquet")
    'ab'
    """
    return key.rpartition("/")[2].removeprefix(MERGED).split(".")[0]


def file_digest(path: Path) -> str:
    """Compute the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_objects(lake: Lake, keys: Iterable[str]) -> Iterator[LakeObject]:
    """Read objects in the order of their keys, a few ahead; removed ones are skipped."""
    for key, content in read_ahead(lake, keys):
        if content is not None:
            yield LakeObject(key, content, hashlib.sha256(content).hexdigest())
