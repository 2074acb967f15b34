"""Versions as bytes: skops archives, digest-checked, of trusted types only. No pickle is ever read."""

import hashlib
import io
import json
import zipfile
from typing import Any

import skops.io

from shared.errors import NotFound, UnusableArtifact
from shared.lake import Lake
from shared.training.schema import Schema
from shared.training.scoring import LoadedVersion

# Beyond what skops trusts by itself (scikit-learn's estimators, numpy's arrays and functions): the trees of histogram
# gradient boosting, and the check of its input, which scikit-learn binds with functools.partial.
TRUSTED_TYPES = (
    "functools.partial",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)
_ARCHIVE_TIME = (1980, 1, 1, 0, 0, 0)
_DESCRIPTION = "schema.json"


def dump_artifact(version: LoadedVersion) -> bytes:
    """Return a version as bytes; equal versions give equal bytes."""
    return _canonical(skops.io.dumps({"schema": json.dumps(version.schema.to_json()), "pipeline": version.pipeline}))


def load_artifact(lake: Lake, key: str, digest: str) -> LoadedVersion:
    """Return the version an object of the lake holds.

    Raises UnusableArtifact if it is missing, is not the one the digest names, or holds what is not trusted.
    """
    try:
        content = lake.read_bytes(key)
    except NotFound as error:
        raise UnusableArtifact(f"the artefact {key} does not exist") from error
    if artifact_digest(content) != digest:
        raise UnusableArtifact(f"the artefact {key} is not the one that was registered")
    return parse_artifact(content)


def parse_artifact(content: bytes) -> LoadedVersion:
    """Return the version that bytes hold. Raises UnusableArtifact."""
    try:
        archive = skops.io.loads(content, trusted=list(TRUSTED_TYPES))
        return LoadedVersion(Schema.from_json(json.loads(archive["schema"])), archive["pipeline"])
    except Exception as error:  # a damaged archive fails in as many ways as there are types in it
        raise UnusableArtifact(f"the artefact cannot be loaded: {type(error).__name__}: {error}") from error


def artifact_digest(content: bytes) -> str:
    """Return the digest an artefact is registered under."""
    return hashlib.sha256(content).hexdigest()


def _canonical(archive: bytes) -> bytes:
    """Return an archive whose objects are numbered as they come and whose files carry no time.

    skops names objects after their addresses in memory, which differ from process to process.
    """
    numbers: dict[int, int] = {}
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as target:
        description = _renumber(json.loads(source.read(_DESCRIPTION)), numbers)
        names = {_renamed(name, numbers): name for name in source.namelist() if name != _DESCRIPTION}
        for name in sorted(names):
            target.writestr(_entry(name), source.read(names[name]))
        target.writestr(_entry(_DESCRIPTION), json.dumps(description))
    return written.getvalue()


def _renumber(node: Any, numbers: dict[int, int]) -> Any:
    if isinstance(node, list):
        return [_renumber(child, numbers) for child in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("__id__"), int):
        numbers.setdefault(node["__id__"], len(numbers) + 1)
    renumbered = {name: _renumber(child, numbers) for name, child in node.items()}
    if isinstance(node.get("__id__"), int):
        renumbered["__id__"] = numbers[node["__id__"]]
    if isinstance(node.get("file"), str):
        renumbered["file"] = _renamed(node["file"], numbers)
    return renumbered


def _renamed(name: str, numbers: dict[int, int]) -> str:
    stem, _, suffix = name.partition(".")
    return f"{numbers[int(stem)]:08d}.{suffix}"


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _ARCHIVE_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
