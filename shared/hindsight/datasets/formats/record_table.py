"""Label records as a Parquet file: as they are in the lake, and their features as typed columns beside."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from hindsight.config.features import FeatureType
from hindsight.core import compact_json
from hindsight.datasets.formats.columns import TO_FLOATS, fits, to_texts

TEXT, INTEGER, LONG, DOUBLE, BOOLEAN = "VARCHAR", "INTEGER", "BIGINT", "DOUBLE", "BOOLEAN"
SQL_TYPES = {FeatureType.NUMERIC: DOUBLE, FeatureType.BOOLEAN: BOOLEAN, FeatureType.CATEGORICAL: TEXT}
FEATURE_PREFIX = "feature."

# Fields of a label record that are kept as they are, and those of any type, kept as JSON text.
PLAIN_FIELDS = {
    "prediction_id": TEXT,
    "seq": INTEGER,
    "occurred_at": TEXT,
    "outcome_due_at": TEXT,
    "known_at": TEXT,
    "status": TEXT,
    "kind": TEXT,
    "rules_revision": INTEGER,
    "model_version": TEXT,
    "entity_id": TEXT,
    "score": DOUBLE,
    "propensity": DOUBLE,
    "version_share": DOUBLE,
    "weight": DOUBLE,
    "selection_probability": DOUBLE,
}
JSON_FIELDS = ("value", "decision", "model_decision", "probabilities", "features")
# Moments are kept as they are written, and as numbers: microseconds since 1970, which need no parsing.
MOMENTS = {"occurred_at": "occurred_us", "outcome_due_at": "due_us", "known_at": "known_us"}
# What is not in the record: the fields that have no column, the features of another type than declared, whence it came.
ADDED_FIELDS = {"others": TEXT, "object": TEXT, "object_digest": TEXT, "record_digest": LONG, "unfit": TEXT}

# Twice as fast to read as zstd, at half as much again in size.
PARQUET = "FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 20480"


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A label record, and the object of the lake that holds it: its key and the SHA-256 of its bytes."""

    record: Mapping[str, Any]
    object: str
    object_digest: str


def connect(scratch: Path, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """Connect to a database in memory that loads nothing from the network; it spills to ``scratch``."""
    configuration: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "temp_directory": str(scratch),
    }
    if threads is not None:
        configuration["threads"] = threads
    connection = duckdb.connect(":memory:", config=configuration)
    connection.execute("SET enable_progress_bar = false")  # it would write to the log
    return connection


def write_records(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    records: Sequence[StoredRecord],
    features: Mapping[str, FeatureType],
) -> None:
    """Write label records into a Parquet file, in their order; equal input gives equal bytes.

    ``features`` are those that get a column ``feature.<name>``, by the types they are read as. The columns hold what
    ``to_columns`` makes of them. Names that differ in case only get none: SQL cannot distinguish them.
    """
    columns: list[tuple[str, str, Any]] = [*_envelope(records), *_typed(records, features)]
    arrays = {f"c{place}": values for place, (_, _, values) in enumerate(columns)}
    held = {name: f"CAST(c{place} AS {kind})" for place, (name, kind, _) in enumerate(columns)}
    held |= {moment: f"epoch_us(CAST({held[name]} AS TIMESTAMP))" for name, moment in MOMENTS.items()}
    selected = ", ".join(f"{expression} AS {quoted(name)}" for name, expression in held.items())
    connection.register("written", arrays)
    try:
        connection.execute(f"COPY (SELECT {selected} FROM written) TO '{escaped(str(path))}' ({PARQUET})")
    finally:
        connection.unregister("written")


def typed_features(features: Mapping[str, FeatureType]) -> dict[str, FeatureType]:
    """List the features that can have their own column: whose name differs from others not in case alone.

    >>> sorted(typed_features(dict.fromkeys(["Hour", "hour", "day"], FeatureType.NUMERIC)))
    ['day']
    """
    folded = [name.casefold() for name in features]
    return {name: kind for name, kind in features.items() if folded.count(name.casefold()) == 1}


def record_digest(record: Mapping[str, Any]) -> int:
    """Compute 64 bits of the SHA-256 of a record's canonical JSON: one number for one content."""
    digest = hashlib.sha256(compact_json.dumps(record).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def quoted(name: str) -> str:
    """Quote any name for SQL.

    >>> print(quoted('5" pipe'))
    "5"" pipe"
    """
    return '"' + name.replace('"', '""') + '"'


def escaped(text: str) -> str:
    """Escape text for single quotes in SQL."""
    return text.replace("'", "''")


def _envelope(records: Sequence[StoredRecord]) -> Iterator[tuple[str, str, Any]]:
    for name, kind in PLAIN_FIELDS.items():
        values = [stored.record.get(name) for stored in records]
        yield name, kind, _floats(values) if kind == DOUBLE else _objects(values)
    for name in JSON_FIELDS:
        yield name, TEXT, _objects([_json(stored.record.get(name)) for stored in records])
    named = {*PLAIN_FIELDS, *JSON_FIELDS, "model"}
    others = [{name: value for name, value in stored.record.items() if name not in named} for stored in records]
    yield "others", TEXT, _objects([_json(found or None) for found in others])
    yield "object", TEXT, _objects([stored.object for stored in records])
    yield "object_digest", TEXT, _objects([stored.object_digest for stored in records])
    yield "record_digest", LONG, np.array([record_digest(stored.record) for stored in records], dtype=np.int64)


def _typed(records: Sequence[StoredRecord], features: Mapping[str, FeatureType]) -> Iterator[tuple[str, str, Any]]:
    given = [stored.record["features"] for stored in records]
    yield "unfit", TEXT, _objects([_json(unfit_features(row, features) or None) for row in given])
    for name, kind in typed_features(features).items():
        values = [row.get(name) for row in given]
        is_text = kind is FeatureType.CATEGORICAL
        yield FEATURE_PREFIX + name, SQL_TYPES[kind], _objects(to_texts(values)) if is_text else TO_FLOATS[kind](values)


def unfit_features(row: Mapping[str, Any], features: Mapping[str, FeatureType]) -> list[str]:
    """List the features whose value is of another type than the one they are read as."""
    return [name for name, kind in features.items() if (value := row.get(name)) is not None and not fits(value, kind)]


def _objects(values: Sequence[Any]) -> Any:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _floats(values: Sequence[Any]) -> Any:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _json(value: Any) -> str | None:
    return None if value is None else compact_json.dumps(value)
