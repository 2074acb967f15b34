"""Columns of a query as numpy arrays through the Arrow C stream interface: no library, and no object per text.

The interface is a stable ABI of three structs (https://arrow.apache.org/docs/format/CStreamInterface.html). duckdb
speaks it by itself; its own way to numpy makes a Python object of every text, which takes longer than all the rest.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_TYPES = {
    b"C": np.uint8,
    b"S": np.uint16,
    b"I": np.uint32,
    b"L": np.uint64,
    b"i": np.int32,
    b"l": np.int64,
    b"g": np.float64,
}
_TEXT = b"u"


class _Schema(ctypes.Structure):
    pass


class _Array(ctypes.Structure):
    pass


class _Stream(ctypes.Structure):
    pass


_Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))),
    ("private_data", ctypes.c_void_p),
]
_Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))),
    ("private_data", ctypes.c_void_p),
]
_Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema))),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array))),
    ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(_Stream))),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Stream))),
    ("private_data", ctypes.c_void_p),
]
_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype = ctypes.c_void_p
_capsule_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


def read_columns(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Array]:
    """Read the columns of a query by name.

    Numbers are arrays of their type, NaN where a double is NULL; texts are bytes of one width (UTF-8). Other types,
    and NULL among them, are not read: the query has to turn them into such. Raises TypeError for what is not read.
    """
    capsule = connection.sql(query).__arrow_c_stream__()
    stream = ctypes.cast(_capsule_pointer(capsule, b"arrow_array_stream"), ctypes.POINTER(_Stream))
    with _described(stream) as schema:
        columns = [schema.children[place].contents for place in range(schema.n_children)]
        names = [column.name.decode() for column in columns]
        formats = [column.format for column in columns]
    pieces: list[list[Array]] = [[_empty(format_)] for format_ in formats]
    for batch in _batches(stream):
        for place, format_ in enumerate(formats):
            pieces[place].append(_copied(batch.children[place].contents, format_))
    return {
        name: found[1] if len(found) == 2 else np.concatenate(found) for name, found in zip(names, pieces, strict=True)
    }


@contextmanager
def _described(stream: Any) -> Iterator[Any]:
    schema = _Schema()
    _require(stream, stream.contents.get_schema(stream, ctypes.byref(schema)))
    try:
        yield schema
    finally:
        schema.release(ctypes.byref(schema))


def _batches(stream: Any) -> Iterator[Any]:
    """Read batches of rows; each is gone when the next is asked for."""
    while True:
        batch = _Array()
        _require(stream, stream.contents.get_next(stream, ctypes.byref(batch)))
        if not batch.release:
            return
        try:
            yield batch
        finally:
            batch.release(ctypes.byref(batch))


def _require(stream: Any, status: int) -> None:
    if status:
        raise OSError(status, (stream.contents.get_last_error(stream) or b"the query failed").decode())


def _empty(format_: bytes) -> Array:
    if format_ != _TEXT and format_ not in _TYPES:
        raise TypeError(f"columns of the Arrow type {format_.decode()!r} are not read")
    return np.zeros(0, dtype="S1" if format_ == _TEXT else _TYPES[format_])


def _copied(column: Any, format_: bytes) -> Array:
    """Copy a column of a batch out of memory that is not ours."""
    if column.offset:
        raise TypeError("columns that begin within their buffers are not read")
    nulls = _nulls(column)
    if nulls is not None and format_ != b"g":
        raise TypeError("NULL is read among doubles only")
    if format_ == _TEXT:
        return _texts(column)
    found = np.array(_buffer(column, 1, _TYPES[format_], column.length))
    if nulls is not None:
        found[nulls] = np.nan
    return found


def _texts(column: Any) -> Array:
    offsets = _buffer(column, 1, np.int32, column.length + 1)
    content = _buffer(column, 2, np.uint8, int(offsets[-1]))
    widths = np.diff(offsets)
    width = max(1, int(widths.max(initial=1)))
    if len(content) == width * column.length:
        padded = np.array(content).reshape(-1, width)
    else:
        padded = np.zeros((column.length, width), dtype=np.uint8)
        padded[np.arange(width) < widths[:, None]] = content
    texts: Array = padded.reshape(-1).view(f"S{width}")
    return texts


def _nulls(column: Any) -> npt.NDArray[np.bool_] | None:
    """Find the NULL values of a column, None if there is none."""
    if not column.null_count or not column.buffers[0]:
        return None
    valid = np.unpackbits(_buffer(column, 0, np.uint8, (column.length + 7) // 8), bitorder="little")
    nulls: npt.NDArray[np.bool_] = valid[: column.length] == 0
    return nulls


def _buffer(column: Any, place: int, kind: Any, count: int) -> Array:
    """View one of a column's buffers."""
    if not count:
        return np.zeros(0, dtype=kind)
    raw = (ctypes.c_uint8 * (count * np.dtype(kind).itemsize)).from_address(column.buffers[place])
    return np.frombuffer(raw, dtype=kind)
