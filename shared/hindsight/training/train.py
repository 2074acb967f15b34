"""Train one candidate of a run and store it as a version."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hindsight.config.metrics import Task
from hindsight.core import compact_json
from hindsight.core.errors import HindsightError, UnusablePipeline
from hindsight.lake.object_store import Lake, version_prefix
from hindsight.profiles.codec import CONTENT_TYPE, encode
from hindsight.profiles.reference import reference_key
from hindsight.registry.schema import Schema
from hindsight.training.estimators.estimator_files import store_estimator
from hindsight.training.estimators.performance_estimator import fit_estimator
from hindsight.training.fitting.job import TrainingJob
from hindsight.training.fitting.labelled_frame import LabelledFrame, feature_types, load_part
from hindsight.training.fitting.paired_losses import loss_name
from hindsight.training.fitting.pipeline_spec import Recipe
from hindsight.training.fitting.search import ROWS, SearchOutcome, Stopwatch, search
from hindsight.training.fitting.selection import Choices, choose
from hindsight.training.fitting.validation_split import Rehearsal
from hindsight.training.model_card.card import Made, model_card
from hindsight.training.model_card.page import CARD_PAGE, card_page
from hindsight.training.models.artifact import artifact_digest, dump_artifact, untrusted_types
from hindsight.training.models.scoring import LoadedVersion, Scored
from hindsight.training.models.trusted_types import PACKAGE
from hindsight.training.reference_profile import reference_profile

__all__ = ["TrainedCandidate", "TrainingJob", "golden_rows", "train_candidate", "untrained"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedCandidate:
    """A candidate that has become a version; ``validation_score`` is None where the metric is undefined."""

    candidate: str
    version: str
    artifact_key: str
    artifact_digest: str
    validation_score: float | None
    card_key: str

    def to_json(self) -> dict[str, Any]:
        """Return the candidate as the state machine passes it on."""
        return {name: getattr(self, name) for name in self.__slots__}


def train_candidate(lake: Lake, job: TrainingJob, stopwatch: Stopwatch | None = None) -> TrainedCandidate:
    """Train a candidate on a dataset's train part and store the version it becomes.

    The same run and dataset give the same bytes, so that a repeated step changes nothing: what the search for
    settings found, which may depend on how fast the machine was by ``stopwatch``, is stored once and read from then on.
    Raises UnusableDataset, UnusablePipeline, NotFound.
    """
    configuration = job.configuration
    features = feature_types(configuration)
    train = load_part(lake, job.manifest, "train", features, configuration)
    holdout = load_part(lake, job.manifest, "holdout", features, configuration)
    recipe = Recipe(job.candidate, _schema(job, train), configuration.training, {})
    searched, choices = _rehearse(lake, recipe, train, stopwatch)
    version = choices.put_on(recipe.under(searched.settings).train(train))
    made = Made(version, searched, choices, train, holdout, version.answer(holdout.frame))
    content = _dump_trusted(version)
    _describe(lake, job, made)
    prefix = version_prefix(job.run.model, version.schema.version)
    lake.write_bytes(f"{prefix}model.skops", content, "application/octet-stream")
    return TrainedCandidate(
        candidate=job.candidate.value,
        version=version.schema.version,
        artifact_key=f"{prefix}model.skops",
        artifact_digest=artifact_digest(content),
        validation_score=choices.validation_score,
        card_key=f"{prefix}{CARD_PAGE}",
    )


def untrained(job: TrainingJob, error: HindsightError) -> dict[str, Any]:
    """Return what the state machine passes on of a candidate that cannot be trained: why, in words of ours."""
    return {"candidate": job.candidate.value, "error": f"{type(error).__name__}: {error.message}"}


def golden_rows(features: Sequence[Mapping[str, Any]], answers: Sequence[Scored]) -> list[dict[str, Any]]:
    """Return rows with the answers a version gave when it was trained, by which a loaded copy is recognised."""
    return [
        {"features": dict(row), "score": answer.score, "decision": answer.decision}
        for row, answer in zip(features, answers, strict=True)
    ]


def _schema(job: TrainingJob, train: LabelledFrame) -> Schema:
    configuration = job.configuration
    return Schema(
        model=job.run.model,
        version=job.run.version_of(job.candidate.value),
        task=configuration.task,
        metric=configuration.gate_metric,
        features=feature_types(configuration),
        classes=_classes(configuration.task, train),
    )


def _classes(task: Task, train: LabelledFrame) -> tuple[str, ...]:
    if task is Task.BINARY:
        return "0", "1"
    return tuple(sorted(set(train.labels.tolist()))) if task is Task.MULTICLASS else ()


def _rehearse(
    lake: Lake, recipe: Recipe, train: LabelledFrame, stopwatch: Stopwatch | None
) -> tuple[SearchOutcome, Choices]:
    """Return what is chosen without the holdout; of the search the outcome that was stored first."""
    rehearsal = Rehearsal.of(train, recipe.training)
    if rehearsal is None:
        return SearchOutcome({}, (), loss_name(recipe.schema), ROWS), Choices()
    found = search(recipe, rehearsal, stopwatch)
    if found.trials:
        found = _first(lake, version_prefix(recipe.schema.model, recipe.schema.version), found)
    return found, choose(recipe.under(found.settings), rehearsal)


def _first(lake: Lake, prefix: str, found: SearchOutcome) -> SearchOutcome:
    key, content = f"{prefix}search.json", compact_json.dumps(found.to_json()).encode()
    if lake.replace_bytes(key, content, "application/json", expected=None):
        return found
    return SearchOutcome.from_json(json.loads(lake.read_bytes(key)))


def _dump_trusted(version: LoadedVersion) -> bytes:
    """Return a version as bytes. Raises UnusablePipeline for one that could never be loaded again."""
    content = dump_artifact(version)
    if strangers := untrusted_types(content):
        raise UnusablePipeline(f"it holds types that TRUSTED_TYPES of {PACKAGE}/ does not name: {', '.join(strangers)}")
    return content


def _describe(lake: Lake, job: TrainingJob, made: Made) -> None:
    """Store what describes a version, beside where its artefact will lie."""
    schema, declared = made.version.schema, job.configuration.features
    prefix = version_prefix(schema.model, schema.version)
    holdout = made.holdout
    card = model_card(job, made)
    golden = golden_rows(holdout.first_features, made.version.score(holdout.first_features))
    for name, document in {"schema": schema.to_json(), "golden": {"rows": golden}, "card": card}.items():
        lake.write_bytes(f"{prefix}{name}.json", compact_json.dumps(document).encode(), "application/json")
    lake.write_bytes(f"{prefix}{CARD_PAGE}", card_page(card).encode(), "text/html; charset=utf-8")
    # The first stays: sketches of the same rows are not the same to the bit, and a version never changes.
    reference = encode(reference_profile(made.version, made.train, holdout, declared))
    lake.replace_bytes(reference_key(schema.model, schema.version), reference, CONTENT_TYPE, expected=None)
    seed = job.configuration.training.seed
    estimator = fit_estimator(schema, holdout.frame, holdout.labels, made.answers, seed)
    if estimator is not None:
        store_estimator(lake, schema.model, schema.version, estimator)
