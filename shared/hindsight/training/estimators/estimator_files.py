"""The files of a version's performance estimator in the lake, beside its artefact."""

import json
from dataclasses import replace

from hindsight.core import compact_json
from hindsight.core.codec import to_plain
from hindsight.core.errors import UnreadableObject
from hindsight.lake.object_store import Lake, read_if_present, version_prefix
from hindsight.monitoring.estimation.estimator import Estimator, StoredLoss
from hindsight.training.estimators.loss_model import LossModel
from hindsight.training.estimators.performance_estimator import FittedEstimator
from hindsight.training.models.artifact import artifact_digest, dump_artifact, load_artifact

ESTIMATOR = "estimator.json"


def store_estimator(lake: Lake, model: str, version: str, fitted: FittedEstimator) -> Estimator:
    """Store an estimator and the loss models it needs, these first; return the stored form."""
    prefix = version_prefix(model, version)
    stored = {}
    for name, loss in (fitted.loss_model.models if fitted.loss_model else {}).items():
        content, key = dump_artifact(loss), f"{prefix}{name}_error.skops"
        lake.write_bytes(key, content, "application/octet-stream")
        stored[name] = StoredLoss(key=key, digest=artifact_digest(content))
    estimator = replace(fitted.estimator, losses=stored)
    lake.write_bytes(prefix + ESTIMATOR, compact_json.dumps(to_plain(estimator)).encode(), "application/json")
    return estimator


def load_estimator(lake: Lake, model: str, version: str) -> FittedEstimator | None:
    """Load a version's estimator, None where it has none.

    Raises UnreadableObject, and UnusableArtifact for a loss model that is missing, altered or not to be trusted.
    """
    content = read_if_present(lake, version_prefix(model, version) + ESTIMATOR)
    if content is None:
        return None
    try:
        document = json.loads(content)
    except ValueError as error:
        raise UnreadableObject(f"the estimator of {version} is damaged: {error}") from error
    estimator = Estimator.from_json(document)
    models = {name: load_artifact(lake, loss.key, loss.digest) for name, loss in estimator.losses.items()}
    return FittedEstimator(estimator, LossModel(models, estimator.score_feature) if models else None)
