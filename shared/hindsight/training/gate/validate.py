"""The validation of a run: choose its best candidate, put it to the gate and record the verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hindsight.config.metrics import Metric
from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import NotFound, UnusableDataset
from hindsight.datasets.dataset import Manifest
from hindsight.lake.object_store import Lake
from hindsight.registry.pointer import Pointer
from hindsight.registry.store import Registry
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.runs.run import RetrainingRun
from hindsight.training.fitting.labelled_frame import load_part
from hindsight.training.gate.holdout_verdict import judge_holdout
from hindsight.training.gate.smoke_test import RunSmoke, smoke_test
from hindsight.training.models.scoring import LoadedVersion

_MAX_ERROR = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationJob:
    """The candidates to judge, the dataset and the run; ``configuration`` is the revision the manifest names.

    ``trained`` is what the train steps returned: candidates with their artefact, or with the error they ended in.
    """

    run: RetrainingRun
    manifest: Manifest
    configuration: ModelConfiguration
    trained: Sequence[Mapping[str, Any]]
    code_version: str


def validate(lake: Lake, registry: Registry, job: ValidationJob, run_smoke: RunSmoke) -> VersionRecord:
    """Judge the best candidate and record the verdict; the record of an earlier attempt stays as it is.

    Raises UnusableDataset if no candidate could be trained. ``run_smoke`` tries the saved artefact in a process
    of its own.
    """
    best = best_candidate(job.trained, job.configuration.gate_metric)
    version = job.run.version_of(best["candidate"])
    try:
        return registry.version(job.run.model, version)
    except NotFound:
        return registry.put_version(job.run.model, _judge(lake, registry, job, best, run_smoke))


def best_candidate(trained: Sequence[Mapping[str, Any]], metric: Metric) -> Mapping[str, Any]:
    """Find the candidate with the best validation score, of equal ones the first; one without a score comes last.

    Raises UnusableDataset if none was trained.
    """
    finished = [candidate for candidate in trained if "artifact_key" in candidate]
    if not finished:
        errors = "; ".join(f"{summary['candidate']}: {summary['error']}" for summary in map(_summary, trained))
        raise UnusableDataset(f"no candidate could be trained: {errors}")
    sign = 1 if metric.greater_is_better else -1
    worst = float("-inf")
    scores = [candidate.get("validation_score") for candidate in finished]
    ranks = [worst if score is None else sign * float(score) for score in scores]
    return finished[ranks.index(max(ranks))]


def _judge(
    lake: Lake, registry: Registry, job: ValidationJob, best: Mapping[str, Any], run_smoke: RunSmoke
) -> VersionRecord:
    version = job.run.version_of(best["candidate"])
    artifact = (best["artifact_key"], best["artifact_digest"])
    features = job.configuration.feature_types
    # Read once: the verdict is about the champion of this very move of the pointer, and records it.
    pointer = registry.pointer(job.run.model)
    challenger, checks = smoke_test(lake, version, artifact, features, run_smoke)
    record = _unjudged(job, best, pointer)
    if challenger is not None:
        record = _compare(lake, job, challenger, pointer, record)
    found = (*record.checks, *checks)
    verdict = Verdict.PROMOTE if all(check.passed for check in found) else Verdict.REJECT
    return record.replace(checks=found, verdict=verdict)


def _compare(
    lake: Lake, job: ValidationJob, challenger: LoadedVersion, pointer: Pointer | None, record: VersionRecord
) -> VersionRecord:
    """Add the holdout's checks, and its metrics of challenger and champion, to the record."""
    configuration, manifest = job.configuration, job.manifest
    holdout = load_part(lake, manifest, "holdout", configuration.feature_types, configuration)
    predictions = challenger.predict(holdout.frame)
    verdict = judge_holdout(lake, manifest, configuration, holdout=holdout, predictions=predictions, pointer=pointer)
    return verdict.added_to(record)


def _unjudged(job: ValidationJob, best: Mapping[str, Any], pointer: Pointer | None) -> VersionRecord:
    return VersionRecord(
        version=job.run.version_of(best["candidate"]),
        created_at=job.run.as_of,
        candidate=best["candidate"],
        decision_id=job.run.decision_id,
        dataset_id=job.manifest.dataset_id,
        configuration_revision=job.manifest.configuration_revision,
        code_version=job.code_version,
        artifact_key=best["artifact_key"],
        artifact_digest=best["artifact_digest"],
        verdict=Verdict.REJECT,
        candidates=tuple(_summary(candidate) for candidate in job.trained),
        rows=job.manifest.rows,
        pointer_sequence=0 if pointer is None else pointer.sequence,
        card_key=best.get("card_key"),
    )


def _summary(candidate: Mapping[str, Any]) -> dict[str, Any]:
    if "artifact_key" in candidate:
        return {"candidate": candidate["candidate"], "validation_score": candidate.get("validation_score")}
    return {"candidate": candidate.get("candidate"), "error": _error_text(candidate.get("error"))}


def _error_text(error: object) -> str:
    """Format the error of a candidate: that of ``failed_training``, or the one the state machine caught.

    The cause of the latter carries a stack trace, which is not shown: the state machine leaves it out.
    """
    return str(error)[:_MAX_ERROR]
