"""Label records of Parquet files as arrays: their keys first, then the other columns of kept records."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from hindsight.config.features import FeatureType
from hindsight.config.labels import canonical_text
from hindsight.config.metrics import Task
from hindsight.core.times import microseconds
from hindsight.datasets.formats.arrow_stream import read_columns
from hindsight.datasets.formats.columns import MISSING, Categories, Codes, Column, Floats, to_columns
from hindsight.datasets.formats.record_keys import RecordKeys
from hindsight.datasets.formats.record_table import (
    DOUBLE,
    FEATURE_PREFIX,
    MOMENTS,
    SQL_TYPES,
    escaped,
    quoted,
    unfit_features,
)

_COLUMNS_AT_ONCE = 32
_PARSED_AT_ONCE = 20_000
Rows = npt.NDArray[np.int32]
_BINARY = {"1": 1.0, "true": 1.0, "0": 0.0, "false": 0.0}


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A Parquet file of label records; ``only`` narrows it to the records of some objects, by key and digest."""

    path: Path
    only: frozenset[tuple[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The span of the records seen: of predictions in ``[first, last)``, known and due by ``last``."""

    first: datetime
    last: datetime


@dataclass(frozen=True)
class RecordScan:
    """The scan of one file through a database."""

    connection: duckdb.DuckDBPyConnection
    file: RecordFile

    def keys(self, number: int, span: Span) -> RecordKeys:
        """Read the keys of the records seen, in the order of the file, which is the ``number``-th."""
        found = self._arrays(
            "CAST(file_row_number AS INTEGER) AS row, prediction_id, hash(prediction_id) AS hash, seq, "
            f"{', '.join(MOMENTS.values())}, CAST(value IS NOT NULL AS UTINYINT) AS labelled, record_digest, "
            "CAST(kind IS NOT DISTINCT FROM 'manual' AS UTINYINT) AS manual, "
            "CAST(selection_probability IS NOT NULL AS UTINYINT) AS picked",
            f"WHERE {self._is_seen(span)}",
        )
        return RecordKeys(
            names=found["prediction_id"],
            hashes=found["hash"],
            seq=found["seq"],
            occurred=found["occurred_us"],
            due=found["due_us"],
            known=found["known_us"],
            labelled=found["labelled"].view(bool),
            manual=found["manual"].view(bool),
            picked=found["picked"].view(bool),
            digests=found["record_digest"],
            file=np.full(len(found["seq"]), number, dtype=np.int32),
            row=found["row"],
        )

    def objects(self, span: Span) -> list[tuple[str, str]]:
        """List the objects that hold a record seen, by key and digest, sorted."""
        rows = self._query(f"SELECT DISTINCT object, object_digest FROM {self._table} WHERE {self._is_seen(span)}")
        return sorted(rows.fetchall())

    def values(self, name: str, task: Task) -> Floats | Categories:
        """Read a column of values as the task takes them, NaN or MISSING where there is none or none that fits."""
        if task is Task.REGRESSION:
            # A number is a number only if it was sent as one: JSON text of it has no quotes.
            is_number = f"{name} NOT LIKE '\"%' AND {name} NOT IN ('true', 'false')"
            return self._floats(f"CASE WHEN {is_number} THEN TRY_CAST({name} AS {DOUBLE}) END")
        values = self._categories(name)
        texts = [canonical_text(json.loads(text)) for text in values.vocabulary]
        if task is Task.BINARY:
            return np.array([*(_BINARY.get(text, np.nan) for text in texts), np.nan])[values.codes]
        return renamed(values.codes, texts)

    def numbers(self, names: Sequence[str]) -> dict[str, Floats]:
        """Read columns of numbers, NaN where there is none."""
        found = self._arrays(", ".join(f"CAST({quoted(name)} AS {DOUBLE}) AS {quoted(name)}" for name in names))
        return dict(found)

    def identifiers(self, name: str) -> npt.NDArray[np.bytes_]:
        """Read a column of identifiers as bytes of one width, empty where there is none."""
        found: npt.NDArray[np.bytes_] = self._arrays(f"coalesce({quoted(name)}, '') AS found")["found"]
        return found

    def categories(self, name: str) -> Categories:
        """Read a column of few different texts."""
        return self._categories(quoted(name))

    def features(
        self, features: Sequence[tuple[str, FeatureType]], rows: Rows
    ) -> Iterator[tuple[tuple[str, FeatureType], Column]]:
        """Read features of some records, each as the column of its type, in any order.

        What the file has as a column is read from it, all else from the features as they were logged.
        """
        held = self._held_types
        typed = [(name, kind) for name, kind in features if held.get(FEATURE_PREFIX + name) == SQL_TYPES[kind]]
        numbers = [found for found in typed if found[1] is not FeatureType.CATEGORICAL]
        for first in range(0, len(numbers), _COLUMNS_AT_ONCE):
            batch = numbers[first : first + _COLUMNS_AT_ONCE]
            selected = (f"CAST({quoted(FEATURE_PREFIX + name)} AS {DOUBLE})" for name, _ in batch)
            arrays = self._arrays(", ".join(f"{column} AS n{place}" for place, column in enumerate(selected)))
            for place, found in enumerate(batch):
                yield found, arrays.pop(f"n{place}")[rows]
        for found in typed:
            if found[1] is FeatureType.CATEGORICAL:
                yield found, self.categories(FEATURE_PREFIX + found[0]).at(rows)
        yield from self._parsed([found for found in features if found not in typed], rows)

    def unfit(self, features: Mapping[str, FeatureType], rows: Rows) -> dict[str, int]:
        """Count by feature the records with a value of another type than the one it is read as."""
        held = self._held_types
        counted = {name for name, kind in features.items() if held.get(FEATURE_PREFIX + name) == SQL_TYPES[kind]}
        noted = self.categories("unfit").at(rows) if self._has("unfit") else Categories(np.zeros(0, dtype=np.int32), ())
        counts = np.bincount(noted.codes[noted.codes != MISSING], minlength=len(noted.vocabulary))
        found = dict.fromkeys(features, 0)
        for text, count in zip(noted.vocabulary, counts.tolist(), strict=True):
            for name in counted.intersection(json.loads(text)):
                found[name] += count
        others = {name: kind for name, kind in features.items() if name not in counted}
        for logged in self._logged(rows) if others else ():
            for row in logged:
                for name in unfit_features(row, others):
                    found[name] += 1
        return found

    def logged_features(self, rows: Sequence[int]) -> list[Mapping[str, Any]]:
        """Read the features of a few records as they were logged."""
        chosen = ", ".join(map(str, rows))
        found = self._query(
            f"SELECT file_row_number, features FROM {self._table} WHERE file_row_number IN ({chosen}) "
            f"LIMIT {len(rows)}"  # so that the rest of the file is not looked through
        ).fetchall()
        by_row = {row: json.loads(text) for row, text in found}
        return [by_row[row] for row in rows]

    def _parsed(
        self, features: Sequence[tuple[str, FeatureType]], rows: Rows
    ) -> Iterator[tuple[tuple[str, FeatureType], Column]]:
        """Parse the features that have no column in the file from the features as they were logged."""
        if not features:
            return
        pieces: dict[tuple[str, FeatureType], list[Column]] = {found: [] for found in features}
        for logged in self._logged(rows):
            for found in features:
                pieces[found].append(to_columns(logged, dict([found]))[found[0]])
        for found, columns in pieces.items():
            yield found, join_columns(columns)

    def _logged(self, rows: Rows) -> Iterator[list[Mapping[str, Any]]]:
        texts = self._query(f"SELECT features FROM {self._table}").fetchnumpy()["features"][rows]
        for first in range(0, max(len(texts), 1), _PARSED_AT_ONCE):
            yield [json.loads(text) for text in texts[first : first + _PARSED_AT_ONCE]]

    def _categories(self, expression: str) -> Categories:
        """Encode an expression of text: by a type made of its texts, which is faster than objects."""
        distinct = self._query(f"SELECT DISTINCT {expression} FROM {self._table} WHERE {expression} IS NOT NULL")
        vocabulary = sorted(text for (text,) in distinct.fetchall())
        if not vocabulary:
            (rows,) = self._query(f"SELECT count(*) FROM {self._table}").fetchall()[0]
            return Categories(np.full(rows, MISSING, dtype=np.int32), ())
        named = ", ".join(f"'{escaped(text)}'" for text in vocabulary)
        self.connection.execute(f"CREATE TYPE texts AS ENUM ({named})")
        try:
            coded = f"coalesce(CAST(enum_code(CAST({expression} AS texts)) AS INTEGER), {MISSING})"
            codes = self._arrays(f"{coded} AS found")["found"]
        finally:
            self.connection.execute("DROP TYPE texts")
        return Categories(codes, tuple(vocabulary))

    def _floats(self, expression: str) -> Floats:
        found: Floats = self._arrays(f"CAST({expression} AS {DOUBLE}) AS found")["found"]
        return found

    def _has(self, name: str) -> bool:
        (given,) = self._query(f"SELECT count({quoted(name)}) FROM {self._table}").fetchall()[0]
        return bool(given)

    @cached_property
    def _held_types(self) -> dict[str, str]:
        described = self._query(f"DESCRIBE SELECT * FROM {self._table}").fetchall()
        return {name: kind for name, kind, *_ in described}

    def _arrays(self, selected: str, where: str = "") -> dict[str, Any]:
        return read_columns(self.connection, f"SELECT {selected} FROM {self._table} {where}")

    def _query(self, sql: str) -> duckdb.DuckDBPyConnection:
        return self.connection.execute(sql)

    @property
    def _table(self) -> str:
        return f"read_parquet('{escaped(str(self.file.path))}', file_row_number = true, hive_partitioning = false)"

    def _is_seen(self, span: Span) -> str:
        first, last = microseconds(span.first), microseconds(span.last)
        seen = f"occurred_us >= {first} AND occurred_us < {last} AND due_us <= {last} AND known_us <= {last}"
        if self.file.only is None:
            return seen
        chosen = ", ".join(f"('{escaped(key)}', '{escaped(digest)}')" for key, digest in sorted(self.file.only))
        return f"{seen} AND (object, object_digest) IN ({chosen})"


def renamed(codes: Codes, texts: Sequence[str]) -> Categories:
    """Rename the texts of codes, which need be neither sorted nor different, as categories."""
    vocabulary = sorted(set(texts))
    places = {text: place for place, text in enumerate(vocabulary)}
    new = np.array([*(places[text] for text in texts), MISSING], dtype=np.int32)
    return Categories(new[codes], tuple(vocabulary))


def join_columns(columns: Sequence[Column]) -> Column:
    """Join columns of one type, one after another."""
    categories = [column for column in columns if isinstance(column, Categories)]
    if not categories:
        return np.concatenate([column for column in columns if not isinstance(column, Categories)])
    texts = [text for column in categories for text in column.vocabulary]
    begins = np.cumsum([0, *(len(column.vocabulary) for column in categories[:-1])])
    shifted = [
        np.where(column.codes == MISSING, MISSING, column.codes + begin).astype(np.int32)
        for column, begin in zip(categories, begins.tolist(), strict=True)
    ]
    return renamed(np.concatenate(shifted), texts)
