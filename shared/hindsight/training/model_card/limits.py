"""The limits of a version: sentences about its data, its features and its predictions."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration

_FEW = 200  # holdout labels, below which most intervals are as wide as the difference one hopes to see
_OFTEN = 0.5
_MAX_NAMED = 5


def limits(card: Mapping[str, Any], configuration: ModelConfiguration) -> list[str]:
    """List the limits of a version as sentences; ``card`` is the model card without them."""
    return [*_of_data(card, configuration), *_of_features(card), *_of_answers(card)]


def _of_data(card: Mapping[str, Any], configuration: ModelConfiguration) -> Iterator[str]:
    data = card["data"]
    first = data["first_row"] or data["window_start"]
    yield (
        f"It is made for predictions like those from {_day(first)} to {_day(data['as_of'])}; whether "
        "newer ones still are is what drift checks watch."
    )
    if configuration.outcome_delay:
        yield (
            f"An outcome takes up to {_length(configuration.outcome_delay)}: no row younger than that has taught it "
            "anything, and none was used before its outcome was due."
        )
    worth = data["effective_rows"]["holdout"]
    if worth < _FEW:
        yield f"The holdout is worth {worth:.0f} labels: mind how wide the intervals are."
    if data["effective_rows"]["train"] < 0.9 * data["counts"]["train"]["rows"]:
        yield "Reviewed rows stand for unlabelled ones, by the probability they were selected with."
    small = [one for one in card["slices"] if one["labels"] < configuration.gate.min_slice_rows]
    if small:
        named = ", ".join(f"{one['feature']} {one['value_of_feature']}" for one in small[:_MAX_NAMED])
        yield f"Too few rows to judge these slices by: {named}{_and_more(len(small))}."


def _of_features(card: Mapping[str, Any]) -> Iterator[str]:
    absent = [feature["name"] for feature in card["features"] if feature["missing"] == 1.0]
    if absent:
        yield f"Never seen with a value, and so not used: {', '.join(absent[:_MAX_NAMED])}{_and_more(len(absent))}."
    sparse = [feature["name"] for feature in card["features"] if _OFTEN <= feature["missing"] < 1.0]
    if sparse:
        yield f"Missing in most rows: {', '.join(sparse[:_MAX_NAMED])}{_and_more(len(sparse))}."
    yield (
        "Importances measure what the version relies on, not what causes the outcome; correlated features share "
        "what they are worth."
    )


def _of_answers(card: Mapping[str, Any]) -> Iterator[str]:
    training = card["training"]
    if training["weights"] == "not_taken":
        yield "Its estimator takes no weights: every row weighed the same, although the configuration sets weights."
    if card["task"] == Task.REGRESSION:
        yield "It predicts a value without an interval."
        return
    found = card["calibration"]
    if found is not None and found["error"] > 2 * found["by_chance"]:
        missed = f"{found['error']:.1%}"
        yield f"Its scores miss the shares that turned out by {missed} on average, more than chance explains."
    if card["candidate"] == "gradient_boosting":
        yield "Beyond the values it was trained on, trees predict as at the last one they were trained on."


def _length(delay: timedelta) -> str:
    """Format a length of time in words.

    >>> _length(timedelta(days=1)), _length(timedelta(hours=36))
    ('1 day', '36 hours')
    """
    hours = delay.total_seconds() / 3600
    count, unit = (hours / 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{count:g} {unit}{'' if count == 1 else 's'}"


def _day(moment: str) -> str:
    return moment[:10]


def _and_more(count: int) -> str:
    return f" and {count - _MAX_NAMED} more" if count > _MAX_NAMED else ""
