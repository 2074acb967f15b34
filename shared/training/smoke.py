"""A saved artefact proves that it can serve: it loads, says what it said when trained, and is quick and small."""

import json
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from shared.configuration.features import FeatureType
from shared.errors import NotFound, UnusableArtifact
from shared.lake import Lake, version_prefix
from shared.registry.version import Check
from shared.training.artifact import load_artifact
from shared.training.scoring import LoadedVersion, Scored

MAX_ARTIFACT_BYTES = 100 * 1024 * 1024
MAX_LATENCY_SECONDS = 1.0
_TOLERANCE = 1e-9
_TIMED_CALLS = 5


def smoke_test(
    lake: Lake,
    version: str,
    artifact: tuple[str, str],
    features: Mapping[str, FeatureType],
    stopwatch: Callable[[], float],
) -> tuple[LoadedVersion | None, list[Check]]:
    """Return the loaded version (None if it cannot be) and what its test found.

    ``artifact`` is key and digest; ``stopwatch`` returns seconds from any start.
    """
    key, digest = artifact
    try:
        loaded = load_artifact(lake, key, digest)
        golden = _golden(lake, loaded.schema.model, version)
    except UnusableArtifact as error:
        return None, [Check(name="artifact_loads", passed=False, detail=error.message)]
    checks = [
        Check(name="artifact_loads", passed=True, detail="the artefact loads from trusted types"),
        _check_schema(loaded, version, features),
        _check_size(len(lake.read_bytes(key))),
    ]
    try:
        return loaded, [*checks, *_check_answers(loaded, golden, stopwatch)]
    except UnusableArtifact as error:
        return None, [*checks, Check(name="golden_rows", passed=False, detail=error.message)]


def _golden(lake: Lake, model: str, version: str) -> list[Mapping[str, Any]]:
    try:
        golden = json.loads(lake.read_bytes(version_prefix(model, version) + "golden.json"))
    except NotFound as error:
        raise UnusableArtifact(f"{version} has no golden rows") from error
    rows: list[Mapping[str, Any]] = golden["rows"]
    return rows


def _check_schema(loaded: LoadedVersion, version: str, features: Mapping[str, FeatureType]) -> Check:
    schema = loaded.schema
    passed = schema.version == version and list(schema.features.items()) == list(features.items())
    return Check(
        name="schema",
        passed=passed,
        value=float(len(schema.features)),
        detail=f"the artefact reads {len(schema.features)} features, {len(features)} are declared",
    )


def _check_size(size: int) -> Check:
    return Check(
        name="artifact_bytes",
        passed=size <= MAX_ARTIFACT_BYTES,
        value=float(size),
        limit=float(MAX_ARTIFACT_BYTES),
        detail=f"the artefact has {size:,} bytes",
    )


def _check_answers(
    loaded: LoadedVersion, golden: Sequence[Mapping[str, Any]], stopwatch: Callable[[], float]
) -> list[Check]:
    rows = [row["features"] for row in golden]
    answers = loaded.score(rows)
    error = max((abs(answer.score - row["score"]) for answer, row in zip(answers, golden, strict=True)), default=0.0)
    same = all(_same(answer, row) for answer, row in zip(answers, golden, strict=True))
    seconds = median(_time(loaded, rows[:1], stopwatch) for _ in range(_TIMED_CALLS))
    return [
        Check(
            name="golden_rows",
            passed=same,
            value=error,
            limit=_TOLERANCE,
            detail=f"on {len(rows)} rows scores differ by at most {error:.3g} from those at training",
        ),
        Check(
            name="latency_seconds",
            passed=seconds <= MAX_LATENCY_SECONDS,
            value=seconds,
            limit=MAX_LATENCY_SECONDS,
            detail=f"one row takes {seconds * 1000:.1f} ms",
        ),
    ]


def _same(answer: Scored, golden: Mapping[str, Any]) -> bool:
    close = abs(answer.score - golden["score"]) <= _TOLERANCE * max(1.0, abs(golden["score"]))
    decided = answer.decision == golden["decision"] or isinstance(answer.decision, float)
    return close and decided


def _time(loaded: LoadedVersion, rows: Sequence[Mapping[str, Any]], stopwatch: Callable[[], float]) -> float:
    start = stopwatch()
    loaded.score(rows)
    return stopwatch() - start
