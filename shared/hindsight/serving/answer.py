"""The answer to a predict call: what an app sees of its predictions, within what Lambda hands on."""

from collections.abc import Callable, Sequence
from typing import Any

from hindsight.core.compact_json import MAX_ANSWER_BYTES, answer_bytes
from hindsight.core.errors import TooLarge
from hindsight.entities.prediction import Prediction
from hindsight.ingestion.feedback_token import MAX_TOKEN


def shown_prediction(prediction: Prediction, tokens: Callable[[str], str] | None) -> dict[str, Any]:
    """Show a prediction to the app that asked for it."""
    shown: dict[str, Any] = {
        "prediction_id": prediction.prediction_id,
        "decision": prediction.decision,
        "score": prediction.score,
        "model_version": prediction.model_version,
    }
    if prediction.probabilities is not None:
        shown["probabilities"] = dict(prediction.probabilities)
    if prediction.is_explored:
        shown["explored"] = True
    if tokens is not None:
        shown["feedback_token"] = tokens(prediction.prediction_id)
    return shown


def require_room(predictions: Sequence[Prediction]) -> None:
    """Raise TooLarge, with how many instances fit, for predictions that one answer cannot carry."""
    sizes = [answer_bytes(shown_prediction(one, lambda _: "x" * MAX_TOKEN)) for one in predictions]
    if (size := sum(sizes)) > MAX_ANSWER_BYTES:
        most = MAX_ANSWER_BYTES // max(sizes)
        raise TooLarge.at(
            "instances",
            f"would be answered with {size} bytes, more than the {MAX_ANSWER_BYTES} that fit; "
            f"send at most {most} of them in a call",
        )
