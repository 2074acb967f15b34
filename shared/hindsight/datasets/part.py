"""A part of a dataset as arrays, in numpy's own file format: written and read without pandas, and without pickles."""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hindsight.config.features import FeatureType
from hindsight.config.metrics import Task
from hindsight.core import compact_json
from hindsight.core.errors import UnusableDataset
from hindsight.datasets.dataset import Manifest, Part
from hindsight.datasets.formats.columns import Categories, Column, Floats
from hindsight.datasets.formats.npz_members import MEMBER, members_of
from hindsight.lake.object_store import Lake

CONTENT_TYPE = "application/zip"
Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

_EPOCH = (1980, 1, 1, 0, 0, 0)
VOCABULARY = "vocabulary."


def column_name(name: str, kind: FeatureType) -> str:
    """Name a feature's array in a part.

    >>> column_name("hour", FeatureType.CATEGORICAL)
    'categorical.hour'
    """
    return f"{kind.value}.{name}"


def pack(name: str, column: Array | Categories) -> dict[str, Array]:
    """Pack a column as the arrays of a part: numbers as they are, categories as codes and their vocabulary."""
    if isinstance(column, Categories):
        return {name: column.codes, VOCABULARY + name: pack_json(list(column.vocabulary))}
    return {name: column}


def unpack(name: str, arrays: Arrays) -> Column:
    """Unpack a column from the arrays that ``pack`` made."""
    if VOCABULARY + name in arrays:
        return Categories(arrays[name], tuple(unpack_json(arrays[VOCABULARY + name])))
    return arrays[name]


def pack_json(value: Any) -> Array:
    """Pack a value as the bytes of its JSON."""
    return np.frombuffer(compact_json.dumps(value).encode(), dtype=np.uint8)


def unpack_json(array: Array) -> Any:
    """Unpack a value from the bytes of its JSON."""
    return json.loads(array.tobytes())


class PartWriter:
    """A writer of arrays into an uncompressed ``.npz``, one after another, none of which it keeps.

    Equal arrays in equal order give equal bytes, and each can be read where it lies.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)
        self._digests: dict[str, str] = {}

    def add(self, name: str, array: Array) -> None:
        """Write an array under a name."""
        array = np.ascontiguousarray(array)
        information = zipfile.ZipInfo(name + MEMBER, _EPOCH)
        information.create_system = 3  # on every system that writes it
        with self._archive.open(information, "w", force_zip64=True) as member:
            np.lib.format.write_array_header_1_0(member, np.lib.format.header_data_from_array_1_0(array))
            member.write(_bytes_of(array))
        self._digests[name] = _array_digest(array)

    def close(self) -> str:
        """Finish the file and return the digest of its content."""
        self._archive.close()
        return compact_json.digest(self._digests)


def part_digest(arrays: Arrays) -> str:
    """Compute the SHA-256 of arrays: of the SHA-256 of each one's type, shape and bytes, by name."""
    return compact_json.digest({name: _array_digest(array) for name, array in arrays.items()})


def read_arrays(lake: Lake, manifest: Manifest, part: Part) -> Arrays:
    """Read a part's arrays by name. Raises UnusableDataset if they differ from those written, NotFound.

    The arrays look into the bytes read and are not copied from them; they cannot be written.
    """
    content = lake.read_bytes(manifest.part_key(part))
    try:
        arrays = dict(_arrays_in(content))
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UnusableDataset(f"the {part} part of {manifest.dataset_id} cannot be read: {error}") from error
    if part_digest(arrays) != manifest.part_digests[part]:
        raise UnusableDataset(f"the {part} part of {manifest.dataset_id} does not match its manifest")
    return arrays


def missing_column(kind: FeatureType, rows: int) -> Column:
    """Build the column of a feature that a dataset does not have."""
    if kind is FeatureType.CATEGORICAL:
        return Categories(np.full(rows, -1, dtype=np.int32), ())
    return np.full(rows, np.nan)


def features_in(arrays: Arrays, features: Mapping[str, FeatureType]) -> dict[str, Column]:
    """Read features as columns; one that a part does not have under its type is missing in all rows."""
    rows = len(arrays["seq"])
    return {
        name: unpack(held, arrays) if (held := column_name(name, kind)) in arrays else missing_column(kind, rows)
        for name, kind in features.items()
    }


def targets_in(arrays: Arrays, task: Task) -> Array:
    """Read labels as ``as_targets`` gives them: floats, or the texts of classes."""
    label = unpack("label", arrays)
    if task is Task.MULTICLASS:
        assert isinstance(label, Categories)
        return np.array(label.vocabulary, dtype=np.str_)[label.codes] if label.vocabulary else np.array([], np.str_)
    labels: Floats = np.array(label, dtype=np.float64)
    return labels


def texts_in(arrays: Arrays, name: str) -> list[str]:
    """Read identifiers as text, empty where there is none."""
    texts: list[str] = arrays[name].astype(np.str_).tolist()
    return texts


def _arrays_in(content: bytes) -> Iterator[tuple[str, Array]]:
    size = len(content)
    for name, member in members_of(lambda start, length: content[start : start + length], size).items():
        count = int(np.prod(member.shape))
        if member.start + count * np.dtype(member.dtype).itemsize > size:
            raise ValueError(f"{name} ends beyond the file")
        found = np.frombuffer(content, dtype=member.dtype, count=count, offset=member.start)
        yield name, found.reshape(member.shape)


def _array_digest(array: Array) -> str:
    running = hashlib.sha256(compact_json.dumps([array.dtype.str, list(array.shape)]).encode())
    running.update(_bytes_of(array))
    return running.hexdigest()


def _bytes_of(array: Array) -> memoryview | bytes:
    return array.view(np.uint8).reshape(-1).data if array.size else b""
