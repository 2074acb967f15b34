"""A version's model card (Mitchell et al., 2019): its data, its performance, and its limits."""

from collections.abc import Mapping
from importlib.metadata import version as library_version
from typing import Any

import numpy as np

from hindsight.config.features import FeatureType
from hindsight.config.metrics import Task
from hindsight.core.codec import to_plain
from hindsight.core.times import format_time, moment_text
from hindsight.evaluation.weights import effective_rows
from hindsight.training.fitting.fit import TrainedVersion, TrainingJob
from hindsight.training.fitting.labelled_frame import LabelledFrame
from hindsight.training.model_card.figures import (
    confusion,
    errors,
    performance,
    reliability,
    slices,
)
from hindsight.training.model_card.importance import Importance, permutation_importances
from hindsight.training.model_card.limits import limits
from hindsight.training.models.candidates import hyperparameters, takes_weights

CARD_FORMAT = 2
_LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy", "skops")


def model_card(job: TrainingJob, trained: TrainedVersion) -> dict[str, Any]:
    """Build the card as JSON objects; it shows names, counts and rates, never a row."""
    configuration, schema = job.configuration, trained.version.schema
    known = trained.predictions.labelled(trained.holdout.labels, trained.holdout.weights)
    importances = permutation_importances(trained.version, trained.holdout, configuration.training.seed)
    card = {
        "format": CARD_FORMAT,
        "model": job.run.model,
        "version": schema.version,
        "candidate": job.candidate.value,
        "task": configuration.task.value,
        "metric": configuration.gate_metric.value,
        "validation_score": trained.selection.validation_score,
        "data": _data(job, trained),
        "performance": performance(known),
        "slices": slices(known, trained.holdout, configuration),
        "calibration": reliability(known),
        "confusion": confusion(known),
        "errors": errors(known),
        "features": _features(trained, importances),
        "training": _training(job, trained),
        "hyperparameters": hyperparameters(trained.version.pipeline),
        "seed": configuration.training.seed,
        "libraries": {name: library_version(name) for name in _LIBRARIES},
        "lineage": _lineage(job),
    }
    return card | {"limits": limits(card, configuration)}


def _data(job: TrainingJob, trained: TrainedVersion) -> dict[str, Any]:
    manifest, made = job.manifest, trained.train.moments.occurred
    return {
        "window_start": format_time(manifest.window_start),
        "first_row": moment_text(int(made[0])) if len(made) else None,
        "holdout_start": manifest.boundary,
        "as_of": format_time(manifest.as_of),
        "counts": manifest.counts,
        "effective_rows": {
            part: effective_rows(rows.weights)
            for part, rows in (("train", trained.train), ("holdout", trained.holdout))
        },
    }


def _features(trained: TrainedVersion, importances: Mapping[str, Importance]) -> list[dict[str, Any]]:
    """List the features, the most important first, then those without a measured importance."""
    schema = trained.version.schema
    ranked = [*importances, *(name for name in schema.features if name not in importances)]
    return [_feature(name, schema.features[name], trained.train, importances.get(name)) for name in ranked]


def _feature(name: str, kind: FeatureType, train: LabelledFrame, importance: Importance | None) -> dict[str, Any]:
    column = train.frame[name]
    shown: dict[str, Any] = {
        "name": name,
        "type": kind.value,
        "missing": float(column.isna().mean()) if len(column) else 0.0,
        "importance": None if importance is None else {"loss": importance.loss, "spread": importance.spread},
    }
    if kind is FeatureType.CATEGORICAL:
        return shown | {"categories": int(column.nunique())}
    if kind is FeatureType.BOOLEAN:
        return shown | {"true": _finite(column.mean())}
    return shown | {
        "least": _finite(column.min()),
        "median": _finite(column.median()),
        "greatest": _finite(column.max()),
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _training(job: TrainingJob, trained: TrainedVersion) -> dict[str, Any]:
    training, version = job.configuration.training, trained.version
    classified = version.schema.task is not Task.REGRESSION
    half_life = training.model_dump(mode="json")["recency_half_life"]
    chosen = trained.selection.recalibration
    return {
        "search": to_plain(trained.searched),
        "class_weight": training.class_weight if classified else None,
        "recency_half_life": half_life,
        "weights": "used" if takes_weights(version.pipeline) else "not_taken",
        "pipeline": training.pipeline if job.candidate.value == "custom" else None,
        "recalibration": None if chosen is None else ("scaling" if chosen.lines is None else "isotonic"),
        "threshold": version.schema.threshold if version.schema.task is Task.BINARY else None,
    }


def _lineage(job: TrainingJob) -> dict[str, Any]:
    run, manifest = job.run, job.manifest
    return {
        "decision_id": run.decision_id,
        "reason": run.reason,
        "dataset_id": manifest.dataset_id,
        "dataset_digest": manifest.digest,
        "configuration_revision": manifest.configuration_revision,
        "rules_revisions": list(manifest.rules_revisions),
        "code_version": job.code_version,
    }
