"""The storage of a trained version in the lake: all that describes it first, its artefact last."""

from collections.abc import Mapping, Sequence
from typing import Any

from hindsight.core import compact_json
from hindsight.lake.object_store import Lake, version_prefix
from hindsight.profiles.codec import CONTENT_TYPE, encode
from hindsight.profiles.reference import reference_key
from hindsight.training.estimators.estimator_files import store_estimator
from hindsight.training.estimators.performance_estimator import fit_estimator
from hindsight.training.fitting.fit import TrainedVersion, TrainingJob
from hindsight.training.model_card.card import model_card
from hindsight.training.model_card.page import CARD_PAGE, card_page
from hindsight.training.models.scoring import RowPrediction
from hindsight.training.reference_profile import reference_profile

ARTIFACT = "model.skops"


def store(lake: Lake, job: TrainingJob, trained: TrainedVersion) -> None:
    """Store a version under its prefix; where there is an artefact, all that describes it is there too.

    That are its model card, golden rows, reference profile and performance estimator, from its rows and its predictions
    for the holdout. Nothing is stored before all of it is there.
    """
    version, schema, holdout = trained.version, trained.version.schema, trained.holdout
    prefix = version_prefix(schema.model, schema.version)
    card = model_card(job, trained)
    golden = {"rows": golden_rows(holdout.first_features, version.score(holdout.first_features))}
    # Sketches of the same rows are not the same to the bit, and a version never changes: the first stays.
    reference = encode(reference_profile(version, trained.train, holdout, job.configuration.features))
    seed = job.configuration.training.seed
    estimator = fit_estimator(schema, holdout.frame, holdout.labels, trained.predictions, seed)
    for name, document in {"schema": schema.to_json(), "golden": golden, "card": card}.items():
        lake.write_bytes(f"{prefix}{name}.json", compact_json.dumps(document).encode(), "application/json")
    lake.write_bytes(f"{prefix}{CARD_PAGE}", card_page(card).encode(), "text/html; charset=utf-8")
    lake.replace_bytes(reference_key(schema.model, schema.version), reference, CONTENT_TYPE, expected=None)
    if estimator is not None:
        store_estimator(lake, schema.model, schema.version, estimator)
    lake.write_bytes(f"{prefix}{ARTIFACT}", trained.artifact, "application/octet-stream")


def golden_rows(features: Sequence[Mapping[str, Any]], predictions: Sequence[RowPrediction]) -> list[dict[str, Any]]:
    """List rows with the predictions a version gave at training, by which a loaded copy is recognised."""
    return [
        {"features": dict(row), "score": prediction.score, "decision": prediction.decision}
        for row, prediction in zip(features, predictions, strict=True)
    ]
