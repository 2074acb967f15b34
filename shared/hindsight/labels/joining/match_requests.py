"""Requests to join predictions with the events that were there before them and share a key."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hindsight.config.labels import MatchBy
from hindsight.core import compact_json
from hindsight.core.batches import chunks
from hindsight.core.times import format_time, parse_time
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.matching.matcher import Progress
from hindsight.labels.matching.store import Place

# Ids of 512 bytes at most: far below the 256 KiB of a message.
_MOST_IDS = 100


@dataclass(frozen=True, slots=True)
class MatchRequest:
    """Predictions of a model to join; of the first one from where it was left."""

    model: str
    prediction_ids: tuple[str, ...]
    after: Progress | None = None


def match_requests(keys: Sequence[PredictionKey]) -> Iterator[MatchRequest]:
    """Build the requests for some predictions, so many in each."""
    by_model: dict[str, list[str]] = {}
    for key in keys:
        by_model.setdefault(key.model, []).append(key.prediction_id)
    for model, names in by_model.items():
        for chunk in chunks(names, _MOST_IDS):
            yield MatchRequest(model, tuple(chunk))


def match_message(request: MatchRequest) -> str:
    """Build the message that asks for a join.

    >>> parse_match(match_message(MatchRequest("churn", ("p-1", "p-2"))))
    MatchRequest(model='churn', prediction_ids=('p-1', 'p-2'), after=None)
    """
    after = request.after and {
        "by": request.after.by.value,
        "occurred_at": format_time(request.after.reached.occurred_at),
        "feedback_id": request.after.reached.feedback_id,
    }
    asked = {"model": request.model, "prediction_ids": list(request.prediction_ids), "after": after}
    return compact_json.dumps({"match": asked})


def parse_match(body: str) -> MatchRequest | None:
    """Parse the request of a message, None for any other message."""
    message = compact_json.loads(body)
    asked = message.get("match") if isinstance(message, dict) else None
    if asked is None:
        return None
    after = None
    if (left := asked["after"]) is not None:
        after = Progress(MatchBy(left["by"]), Place(parse_time(left["occurred_at"]), left["feedback_id"]))
    return MatchRequest(str(asked["model"]), tuple(map(str, asked["prediction_ids"])), after)
