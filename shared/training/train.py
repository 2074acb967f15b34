"""Train one candidate of a run and store it as a version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as library_version
from typing import Any

from shared import compact_json
from shared.configuration.metrics import Task
from shared.configuration.model import ModelConfiguration
from shared.configuration.training import Candidate
from shared.datasets.dataset import Manifest
from shared.datasets.split import split_by_time
from shared.lake import Lake, version_prefix
from shared.profiles.codec import CONTENT_TYPE, encode
from shared.profiles.profile import Profile
from shared.profiles.reference import reference_key
from shared.registry.run import RetrainingRun
from shared.times import format_time
from shared.training.artifact import artifact_digest, dump_artifact
from shared.training.candidates import build, fit, hyperparameters
from shared.training.estimator import fit_estimator
from shared.training.estimator_files import store_estimator
from shared.training.labelled_frame import LabelledFrame, feature_types, load_part
from shared.training.profile import reference_profile
from shared.training.schema import Schema
from shared.training.scoring import LoadedVersion, Scored, class_codes

_LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy", "skops")
_MIN_INNER_ROWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedCandidate:
    """A candidate that has become a version; ``validation_score`` is None where the metric is undefined."""

    candidate: str
    version: str
    artifact_key: str
    artifact_digest: str
    validation_score: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the candidate as the state machine passes it on."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """What to train, on what, for which run; ``configuration`` is the revision the manifest names."""

    run: RetrainingRun
    manifest: Manifest
    configuration: ModelConfiguration
    candidate: Candidate
    code_version: str


def train_candidate(lake: Lake, job: TrainingJob) -> TrainedCandidate:
    """Train a candidate on a dataset's train part and store the version it becomes.

    The same run and dataset give the same bytes, so that a repeated step changes nothing.
    Raises UnusableDataset, NotFound.
    """
    configuration = job.configuration
    features = feature_types(configuration)
    train = load_part(lake, job.manifest, "train", features, configuration)
    holdout = load_part(lake, job.manifest, "holdout", features, configuration)
    schema = Schema(
        model=job.run.model,
        version=job.run.version_of(job.candidate.value),
        task=configuration.task,
        metric=configuration.gate_metric,
        features=features,
        classes=_classes(configuration.task, train),
    )
    validation_score = _validate_forward(job, schema, train)
    version = _train(job.candidate, schema, train, configuration.training.seed)
    golden = golden_rows(holdout.first_features, version.score(holdout.first_features))
    documents = {
        "schema": schema.to_json(),
        "golden": {"rows": golden},
        "card": _card(job, version, validation_score),
    }
    reference = reference_profile(version, train, holdout, configuration.features)
    answers = version.answer(holdout.frame)
    estimator = fit_estimator(schema, holdout.frame, holdout.labels, answers, configuration.training.seed)
    if estimator is not None:
        store_estimator(lake, schema.model, schema.version, estimator)
    key, digest = _store(lake, version, documents, reference)
    return TrainedCandidate(
        candidate=job.candidate.value,
        version=schema.version,
        artifact_key=key,
        artifact_digest=digest,
        validation_score=validation_score,
    )


def golden_rows(features: Sequence[Mapping[str, Any]], answers: Sequence[Scored]) -> list[dict[str, Any]]:
    """Return rows with the answers a version gave when it was trained, by which a loaded copy is recognised."""
    return [
        {"features": dict(row), "score": answer.score, "decision": answer.decision}
        for row, answer in zip(features, answers, strict=True)
    ]


def _classes(task: Task, train: LabelledFrame) -> tuple[str, ...]:
    if task is Task.BINARY:
        return "0", "1"
    return tuple(sorted(set(train.labels.tolist()))) if task is Task.MULTICLASS else ()


def _train(candidate: Candidate, schema: Schema, rows: LabelledFrame, seed: int) -> LoadedVersion:
    pipeline = build(candidate, schema, rows.frame, seed)
    return LoadedVersion(schema, fit(pipeline, rows.frame, class_codes(rows.labels, schema)))


def _store(
    lake: Lake, version: LoadedVersion, documents: Mapping[str, Mapping[str, Any]], reference: Profile
) -> tuple[str, str]:
    """Store a version and what describes it; return the artefact's key and digest."""
    prefix = version_prefix(version.schema.model, version.schema.version)
    for name, document in documents.items():
        lake.write_bytes(f"{prefix}{name}.json", compact_json.dumps(document).encode(), "application/json")
    # The first stays: sketches of the same rows are not the same to the bit, and a version never changes.
    lake.replace_bytes(
        reference_key(version.schema.model, version.schema.version), encode(reference), CONTENT_TYPE, expected=None
    )
    content = dump_artifact(version)
    lake.write_bytes(f"{prefix}model.skops", content, "application/octet-stream")
    return f"{prefix}model.skops", artifact_digest(content)


def _validate_forward(job: TrainingJob, schema: Schema, train: LabelledFrame) -> float | None:
    """Return the gate's metric on the newest share of the train part, of a model trained on what was due before it.

    The holdout stays unseen until the gate: choosing the best candidate on it would flatter the one chosen.
    """
    training = job.configuration.training
    split = split_by_time(train.moments, training.holdout)
    earlier = train.at(split.train)
    if len(split.train) < _MIN_INNER_ROWS or len(set(earlier.labels.tolist())) < 2:
        earlier = train.at(list(range(len(train.moments) - len(split.holdout))))
    if len(set(earlier.labels.tolist())) < 2:
        return None
    later = train.at(split.holdout)
    version = _train(job.candidate, schema, earlier, training.seed)
    return version.answer(later.frame).measure(schema.metric, later.labels)


def _card(job: TrainingJob, version: LoadedVersion, validation_score: float | None) -> dict[str, Any]:
    run, manifest, configuration = job.run, job.manifest, job.configuration
    return {
        "model": run.model,
        "version": version.schema.version,
        "candidate": job.candidate.value,
        "task": configuration.task.value,
        "metric": configuration.gate_metric.value,
        "validation_score": validation_score,
        "data": {
            "window_start": format_time(manifest.window_start),
            "holdout_start": manifest.boundary,
            "as_of": format_time(manifest.as_of),
            "counts": manifest.counts,
        },
        "hyperparameters": hyperparameters(version.pipeline),
        "seed": configuration.training.seed,
        "libraries": {name: library_version(name) for name in _LIBRARIES},
        "lineage": {
            "decision_id": run.decision_id,
            "reason": run.reason,
            "dataset_id": manifest.dataset_id,
            "dataset_digest": manifest.digest,
            "configuration_revision": manifest.configuration_revision,
            "rules_revisions": list(manifest.rules_revisions),
            "code_version": job.code_version,
        },
    }
