"""The artefacts of versions: skops archives, digest-checked, of trusted types only. No pickle is ever read."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import skops.io

from hindsight.core.errors import NotFound, UnusableArtifact
from hindsight.lake.object_store import Lake
from hindsight.registry.schema import Schema
from hindsight.training.models.probabilities import Recalibration
from hindsight.training.models.scoring import LoadedVersion
from hindsight.training.models.trusted_types import BUILT_IN, deployed_types

_ARCHIVE_TIME = (1980, 1, 1, 0, 0, 0)
_DESCRIPTION = "schema.json"


def dump_artifact(version: LoadedVersion) -> bytes:
    """Dump a version to bytes; equal versions give equal bytes."""
    held = {"schema": json.dumps(version.schema.to_json()), "pipeline": version.pipeline}
    if version.recalibration is not None:
        held["recalibration"] = json.dumps(version.recalibration.to_json())
    return _canonical(skops.io.dumps(held))


def load_artifact(lake: Lake, key: str, digest: str) -> LoadedVersion:
    """Load the version of an object of the lake.

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
    """Parse the version from bytes.

    Raises UnusableArtifact; for a type that is not trusted before anything of the archive is made.
    """
    try:
        archive = skops.io.loads(content, trusted=[*BUILT_IN, *deployed_types()])
        return _version(archive)
    except Exception as error:  # a damaged archive fails in as many ways as there are types in it
        raise UnusableArtifact(f"the artefact cannot be loaded: {type(error).__name__}: {error}") from error


def untrusted_types(content: bytes) -> list[str]:
    """List the types in an artefact that the deployment does not trust."""
    found = set(skops.io.get_untrusted_types(data=content))
    return sorted(found - {*BUILT_IN, *deployed_types()})


def _version(archive: Mapping[str, Any]) -> LoadedVersion:
    given = archive.get("recalibration")
    recalibration = None if given is None else Recalibration.from_json(json.loads(given))
    return LoadedVersion(Schema.from_json(json.loads(archive["schema"])), archive["pipeline"], recalibration)


def artifact_digest(content: bytes) -> str:
    """Compute the digest an artefact is registered under."""
    return hashlib.sha256(content).hexdigest()


def _canonical(archive: bytes) -> bytes:
    """Rewrite an archive so that its objects are numbered as they come and its files carry no time.

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
