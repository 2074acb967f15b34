"""A part of a dataset as Parquet: the same rows, with the texts of codes, moments as moments and NULL for missing."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from hindsight.config.features import FeatureType
from hindsight.datasets.formats.npz_members import Member, members_of
from hindsight.datasets.formats.record_table import DOUBLE, FEATURE_PREFIX, PARQUET, SQL_TYPES, TEXT, escaped, quoted
from hindsight.datasets.part import VOCABULARY, unpack_json

PARQUET_TYPE = "application/vnd.apache.parquet"
_MOMENTS = frozenset({"occurred_at", "outcome_due_at", "known_at"})
_NO_COLUMN = "first_features"
# Of the values that are Python objects at one time.
_VALUES_AT_ONCE = 1_000_000


def write_parquet(
    connection: duckdb.DuckDBPyConnection, part: Path, target: Path, advance: Callable[[int], None] = lambda _: None
) -> None:
    """Write the rows of a part as Parquet, in their order; ``advance`` is called with the number of rows done.

    Memory holds some of the rows at a time; the rest is in files beside ``target``.
    """
    columns = _columns_of(part)
    (rows,) = columns[0].member.shape
    at_once = max(1_000, _VALUES_AT_ONCE // len(columns))
    pieces = list[Path]()
    for first in range(0, max(rows, 1), at_once):
        pieces.append(target.with_suffix(f".{len(pieces)}"))
        count = min(at_once, rows - first)
        _write_rows(connection, {column: column.read(part, first, count) for column in columns}, pieces[-1])
        advance(first + count)
    _copy(connection, "SELECT *", pieces, target)
    for piece in pieces:
        piece.unlink()


def copy_without(connection: duckdb.DuckDBPyConnection, source: Path, columns: Collection[str], target: Path) -> None:
    """Copy a Parquet file without some of its columns."""
    _copy(connection, f"SELECT * EXCLUDE ({', '.join(map(quoted, sorted(columns)))})", [source], target)


def _copy(connection: duckdb.DuckDBPyConnection, select: str, sources: list[Path], target: Path) -> None:
    files = ", ".join(f"'{escaped(str(source))}'" for source in sources)
    connection.execute(f"COPY ({select} FROM read_parquet([{files}])) TO '{escaped(str(target))}' ({PARQUET})")


@dataclass(frozen=True, slots=True, eq=False)
class _PartColumn:
    """An array of a part that is a column; codes come with the texts of their vocabulary, and None."""

    name: str
    member: Member
    texts: npt.NDArray[np.object_] | None

    def read(self, part: Path, first: int, count: int) -> npt.NDArray[Any]:
        """Read some of the rows."""
        dtype = np.dtype(self.member.dtype)
        found = np.fromfile(part, dtype, count, offset=self.member.start + first * dtype.itemsize)
        if self.texts is None and dtype.kind != "S":
            return found
        texts = np.empty(count, dtype=object)
        texts[:] = [text.decode() or None for text in found.tolist()] if self.texts is None else self.texts[found]
        return texts

    def selected(self, source: str) -> str:
        """Build the SQL of the column from that of its values."""
        kind, _, feature = self.name.partition(".")
        if feature:
            return f"CAST({source} AS {SQL_TYPES[FeatureType(kind)]}) AS {quoted(FEATURE_PREFIX + feature)}"
        return f"{self._typed(source)} AS {quoted(self.name)}"

    def _typed(self, source: str) -> str:
        if self.name in _MOMENTS:
            return f"make_timestamptz({source})"
        if self.texts is not None or self.member.dtype.startswith("|S"):
            return f"CAST({source} AS {TEXT})"
        return f"CAST({source} AS {DOUBLE})" if self.member.dtype == "<f8" else source


def _columns_of(part: Path) -> list[_PartColumn]:
    """List the columns of a part, features last and in their order."""
    with part.open("rb") as file:

        def read(start: int, length: int) -> bytes:
            file.seek(start)
            return file.read(length)

        members = members_of(read, part.stat().st_size)
        vocabularies = {
            name.removeprefix(VOCABULARY): np.array([*_json(read, member), None], dtype=object)
            for name, member in members.items()
            if name.startswith(VOCABULARY)
        }
    return [
        _PartColumn(name, member, vocabularies.get(name))
        for name, member in members.items()
        if name != _NO_COLUMN and not name.startswith(VOCABULARY)
    ]


def _json(read: Callable[[int, int], bytes], member: Member) -> Any:
    return unpack_json(np.frombuffer(read(member.start, member.shape[0]), dtype=np.uint8))


def _write_rows(
    connection: duckdb.DuckDBPyConnection, arrays: Mapping[_PartColumn, npt.NDArray[Any]], target: Path
) -> None:
    selected = ", ".join(column.selected(f"c{place}") for place, column in enumerate(arrays))
    connection.register("rows_of_part", {f"c{place}": values for place, values in enumerate(arrays.values())})
    try:
        connection.execute(f"COPY (SELECT {selected} FROM rows_of_part) TO '{escaped(str(target))}' ({PARQUET})")
    finally:
        connection.unregister("rows_of_part")
