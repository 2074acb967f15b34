"""The smoke test of a saved artefact: it loads, predicts as it did at training, and is quick and small."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hindsight.config.features import FeatureType
from hindsight.core.errors import NotFound, UnusableArtifact
from hindsight.lake.object_store import Lake, version_prefix
from hindsight.registry.schema import Schema
from hindsight.registry.version import Check
from hindsight.training.gate.smoke_run import Rows, SmokeRun
from hindsight.training.models.artifact import load_artifact
from hindsight.training.models.scoring import LoadedVersion, RowPrediction

MAX_ARTIFACT_BYTES = 100 * 1024 * 1024
MAX_LOAD_SECONDS = 10.0
MAX_LATENCY_SECONDS = 1.0
_TOLERANCE = 1e-9

RunSmoke = Callable[[bytes, str, Rows], SmokeRun]


def smoke_test(
    lake: Lake,
    version: str,
    artifact: tuple[str, str],
    features: Mapping[str, FeatureType],
    run_smoke: RunSmoke,
) -> tuple[LoadedVersion | None, list[Check]]:
    """Test a saved artefact; return the loaded version, None if it cannot be loaded, and the checks.

    ``artifact`` is key and digest; ``run_smoke`` loads it, in a separate process, and has it answer rows.
    """
    key, digest = artifact
    checks: list[Check] = []
    try:
        loaded = load_artifact(lake, key, digest)
        content = lake.read_bytes(key)
        checks.append(_check_size(len(content)))
        golden = _golden(lake, loaded.schema.model, version)
        run = run_smoke(content, digest, [row["features"] for row in golden])
    except UnusableArtifact as error:
        return None, [*checks, Check(name="artifact_loads", passed=False, detail=error.message)]
    return loaded, [
        Check(name="artifact_loads", passed=True, detail="the artefact loads from trusted types in a fresh process"),
        *checks,
        _check_schema(run.schema, version, features),
        _check_golden_rows(run.predictions, golden),
        _check_seconds("load_seconds", run.load_seconds, MAX_LOAD_SECONDS, "loading takes"),
        _check_seconds("latency_seconds", run.row_seconds, MAX_LATENCY_SECONDS, "one row takes"),
    ]


def _golden(lake: Lake, model: str, version: str) -> list[Mapping[str, Any]]:
    try:
        golden = json.loads(lake.read_bytes(version_prefix(model, version) + "golden.json"))
    except NotFound as error:
        raise UnusableArtifact(f"{version} has no golden rows") from error
    rows: list[Mapping[str, Any]] = golden["rows"]
    return rows


def _check_schema(schema: Schema, version: str, features: Mapping[str, FeatureType]) -> Check:
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


def _check_golden_rows(predictions: Sequence[RowPrediction], golden: Sequence[Mapping[str, Any]]) -> Check:
    pairs = list(zip(predictions, golden, strict=True))
    error = max((abs(prediction.score - row["score"]) for prediction, row in pairs), default=0.0)
    return Check(
        name="golden_rows",
        passed=all(_same(prediction, row) for prediction, row in pairs),
        value=error,
        limit=_TOLERANCE,
        detail=f"on {len(pairs)} rows scores differ by at most {error:.3g} from those at training",
    )


def _check_seconds(name: str, seconds: float, limit: float, what: str) -> Check:
    detail = f"{what} {seconds * 1000:.1f} ms"
    return Check(name=name, passed=seconds <= limit, value=seconds, limit=limit, detail=detail)


def _same(prediction: RowPrediction, golden: Mapping[str, Any]) -> bool:
    close = abs(prediction.score - golden["score"]) <= _TOLERANCE * max(1.0, abs(golden["score"]))
    decided = prediction.decision == golden["decision"] or isinstance(prediction.decision, float)
    return close and decided
