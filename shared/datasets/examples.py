"""The label records of the lake as training rows: as known at one moment, one a prediction, matured only."""

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any

from shared import compact_json
from shared.configuration.labels import LabelSource, LabelValue
from shared.errors import UnusableDataset
from shared.lake import Lake
from shared.times import format_time

ROW_FIELDS = (
    "prediction_id",
    "seq",
    "occurred_at",
    "outcome_due_at",
    "known_at",
    "value",
    "source",
    "rules_revision",
    "features",
    "entity_id",
    "propensity",
)
# Rows without them keep the bytes they had before there were any: a dataset is built again bit for bit.
OPTIONAL_ROW_FIELDS = ("selection_probability",)
_LABELLED_OTHERWISE = "labelled_otherwise"  # as `review_weight` reads it
_READERS = 8  # reading many small objects waits for answers, not for bytes
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Source:
    """An object the rows came from, with the SHA-256 of its bytes."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Row:
    """One training row; times are RFC 3339 text, ``line`` is the row's canonical JSON as it is stored.

    ``reviewed`` are those whose label a reviewer gave to a prediction picked for it.
    """

    prediction_id: str
    seq: int
    occurred_at: str
    outcome_due_at: str
    known_at: str
    value: LabelValue | None
    rules_revision: int
    line: bytes
    reviewed: bool = False

    @property
    def place(self) -> tuple[str, str]:
        """Where the row stands in a dataset: by the prediction's time, then its id."""
        return self.occurred_at, self.prediction_id


@dataclass(slots=True)
class Examples:
    """What was found: the newest record of every prediction, and the objects that held any."""

    rows: dict[str, Row] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)


def read_examples(
    lake: Lake, keys: Iterable[str], start: datetime, as_of: datetime, expected: Iterable[Source] = ()
) -> Examples:
    """Return the labels of predictions made in ``[start, as_of)`` and due by ``as_of``, as they were known then.

    Of several records of one prediction the one with the highest ``seq`` stands; a redelivered one changes nothing.
    A reviewer's is marked as ``labelled_otherwise`` if one of the others has a value from another source.
    Objects that hold no such record are no sources: what arrived later does not change what is found.
    ``expected`` are digests the objects must have. Raises UnusableDataset for an object that has another.
    """
    found, otherwise = Examples(), set[str]()
    digests = {source.key: source.digest for source in expected}
    first, last = format_time(start), format_time(as_of)
    for key, content in _contents(lake, keys):
        digest = hashlib.sha256(content).hexdigest()
        if digests.get(key, digest) != digest:
            raise UnusableDataset(f"the object {key} is not the one the manifest names")
        visible = [record for record in map(json.loads, lines_of(content)) if _is_visible(record, first, last)]
        for record in visible:
            if record["value"] is not None and record["source"] != LabelSource.MANUAL:
                otherwise.add(record["prediction_id"])
            known = found.rows.get(record["prediction_id"])
            if known is None or record["seq"] > known.seq:
                found.rows[record["prediction_id"]] = _row(record)
        if visible:
            found.sources.append(Source(key, digest))
    found.rows |= {name: _labelled_otherwise(found.rows[name]) for name in otherwise if found.rows[name].reviewed}
    return found


def lines_of(content: bytes) -> Iterator[bytes]:
    """Yield the lines of JSON lines, gzipped or plain, blank ones left out."""
    plain = gzip.decompress(content) if content[:2] == _GZIP_MAGIC else content
    return (line for line in plain.split(b"\n") if line.strip())


def _contents(lake: Lake, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield every object in order, reading a few ahead."""
    remaining = iter(keys)
    with ThreadPoolExecutor(_READERS) as readers:
        while batch := list(islice(remaining, 8 * _READERS)):
            yield from zip(batch, readers.map(lake.read_bytes, batch), strict=True)


def _is_visible(record: dict[str, Any], first: str, last: str) -> bool:
    # Times are text of one length here, so that comparing the texts compares the moments.
    return bool(
        record["known_at"] <= last and first <= record["occurred_at"] < last and record["outcome_due_at"] <= last
    )


def _row(record: dict[str, Any]) -> Row:
    kept = {name: record.get(name) for name in ROW_FIELDS}
    kept |= {name: record[name] for name in OPTIONAL_ROW_FIELDS if name in record}
    return Row(
        prediction_id=record["prediction_id"],
        seq=record["seq"],
        occurred_at=record["occurred_at"],
        outcome_due_at=record["outcome_due_at"],
        known_at=record["known_at"],
        value=record["value"],
        rules_revision=record["rules_revision"],
        line=compact_json.dumps(kept).encode(),
        reviewed=record["source"] == LabelSource.MANUAL and "selection_probability" in record,
    )


def _labelled_otherwise(row: Row) -> Row:
    return replace(row, line=compact_json.dumps({**json.loads(row.line), _LABELLED_OTHERWISE: True}).encode())
