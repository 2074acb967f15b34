"""The fitting of one candidate: settings searched, the rest selected, the version trained on all rows to train on."""

import json
from dataclasses import dataclass

from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration
from hindsight.config.training import Candidate
from hindsight.core import compact_json
from hindsight.core.codec import from_plain, to_plain
from hindsight.core.errors import UnusablePipeline
from hindsight.datasets.dataset import Manifest
from hindsight.lake.object_store import Lake, version_prefix
from hindsight.registry.schema import Schema
from hindsight.runs.run import RetrainingRun
from hindsight.training.fitting.labelled_frame import LabelledFrame, load_part
from hindsight.training.fitting.paired_losses import loss_name
from hindsight.training.fitting.pipeline_spec import PipelineSpec
from hindsight.training.fitting.search import ROWS, SearchOutcome, Stopwatch, search
from hindsight.training.fitting.selection import Selection, select
from hindsight.training.fitting.validation_split import ValidationSplit
from hindsight.training.models.artifact import dump_artifact, untrusted_types
from hindsight.training.models.scoring import LoadedVersion, Predictions
from hindsight.training.models.trusted_types import PACKAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """The candidate to train, the dataset and the run it is for; ``configuration`` is the manifest's revision."""

    run: RetrainingRun
    manifest: Manifest
    configuration: ModelConfiguration
    candidate: Candidate
    code_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedVersion:
    """A version with its artefact, the selection behind it, its rows, and its predictions for the holdout."""

    version: LoadedVersion
    artifact: bytes
    searched: SearchOutcome
    selection: Selection
    train: LabelledFrame
    holdout: LabelledFrame
    predictions: Predictions


def fit(lake: Lake, job: TrainingJob, stopwatch: Stopwatch | None = None) -> TrainedVersion:
    """Fit a candidate to a dataset's train part, and predict its holdout.

    The outcome of the search for settings may depend on how fast the machine was, by ``stopwatch``: it is stored once
    and read from then on. Raises UnusableDataset, UnusablePipeline, NotFound.
    """
    configuration = job.configuration
    features = configuration.feature_types
    train = load_part(lake, job.manifest, "train", features, configuration)
    holdout = load_part(lake, job.manifest, "holdout", features, configuration)
    spec = PipelineSpec(job.candidate, _schema(job, train), configuration.training, {})
    searched, selection = _select(lake, spec, train, stopwatch)
    version = selection.apply(spec.with_settings(searched.settings).train(train))
    return TrainedVersion(
        version=version,
        searched=searched,
        selection=selection,
        train=train,
        holdout=holdout,
        predictions=version.predict(holdout.frame),
        artifact=_dump_trusted(version),
    )


def _schema(job: TrainingJob, train: LabelledFrame) -> Schema:
    configuration = job.configuration
    return Schema(
        model=job.run.model,
        version=job.run.version_of(job.candidate.value),
        task=configuration.task,
        metric=configuration.gate_metric,
        features=configuration.feature_types,
        classes=_classes(configuration.task, train),
    )


def _classes(task: Task, train: LabelledFrame) -> tuple[str, ...]:
    if task is Task.BINARY:
        return "0", "1"
    return tuple(sorted(set(train.labels.tolist()))) if task is Task.MULTICLASS else ()


def _select(
    lake: Lake, spec: PipelineSpec, train: LabelledFrame, stopwatch: Stopwatch | None
) -> tuple[SearchOutcome, Selection]:
    """Search settings and select the rest on the validation split; the holdout stays unseen."""
    split = ValidationSplit.of(train, spec.training)
    if split is None:
        return SearchOutcome({}, (), loss_name(spec.schema), ROWS), Selection()
    found = search(spec, split, stopwatch)
    if found.trials:
        found = _stored_first(lake, version_prefix(spec.schema.model, spec.schema.version), found)
    return found, select(spec.with_settings(found.settings), split)


def _stored_first(lake: Lake, prefix: str, found: SearchOutcome) -> SearchOutcome:
    key, content = f"{prefix}search.json", compact_json.dumps(to_plain(found)).encode()
    if lake.replace_bytes(key, content, "application/json", expected=None):
        return found
    return from_plain(SearchOutcome, json.loads(lake.read_bytes(key)))


def _dump_trusted(version: LoadedVersion) -> bytes:
    """Dump a version's artefact. Raises UnusablePipeline for one that could never be loaded again."""
    content = dump_artifact(version)
    if untrusted := untrusted_types(content):
        raise UnusablePipeline(f"it holds types that TRUSTED_TYPES of {PACKAGE}/ does not name: {', '.join(untrusted)}")
    return content
