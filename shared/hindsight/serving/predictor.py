"""Predictions made here: scored by the serving version, durable before they are answered."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import Conflict, Fault, InvalidInput
from hindsight.entities.prediction import Features, Prediction, ShadowAnswer
from hindsight.ingestion.instance import Instance, InstanceItem, InstanceReader, ScoredInstance
from hindsight.ingestion.prediction_log import PredictionLog
from hindsight.ingestion.prediction_store import SaveOutcome
from hindsight.serving.answer import require_room
from hindsight.serving.exploration import assign
from hindsight.serving.line_up import InService, LineUp
from hindsight.validation.items import parse_item


class Scorer(Protocol):
    """The scorer of a loaded version."""

    def score(self, rows: Sequence[Features]) -> Sequence[ScoredInstance]:
        """Score each row, in order."""


ScorerT = TypeVar("ScorerT", bound=Scorer)


@dataclass(frozen=True, slots=True)
class PredictResult:
    """Stored predictions in the order of the instances, and the troubles of a version in a rollout."""

    predictions: list[Prediction]
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Predictor:
    """The answers to predict calls."""

    log: PredictionLog

    def predict(self, reader: InstanceReader, items: Sequence[object], lineup: LineUp[ScorerT]) -> PredictResult:
        """Store and return a prediction for each instance, in order.

        An id that was predicted before, from the same instance, gets the same prediction again. Where a version in a
        rollout fails, the champion predicts: a rollout must not hurt what serves.
        Raises InvalidInput if any instance is invalid and TooLarge if the answer would be (then none is stored),
        Conflict if an id was used for another instance, Unavailable if the predictions could not be made durable.
        """
        instances = _read(reader, items)
        predictions, troubles = _score(instances, lineup, reader.configuration)
        require_room(predictions)
        results = self.log.keep(predictions, reader.configuration)
        conflicts = [index for index, saved in enumerate(results) if saved.outcome is SaveOutcome.CONFLICT]
        if conflicts:
            raise Conflict("a prediction_id was used before for another instance", _taken(conflicts))
        return PredictResult([saved.kept for saved in results], troubles)


def _score(
    instances: Sequence[Instance], lineup: LineUp[ScorerT], configuration: ModelConfiguration
) -> tuple[list[Prediction], tuple[str, ...]]:
    troubles: list[str] = []
    answers: dict[int, tuple[ScoredInstance, str]] = {}
    others = [place for place, found in enumerate(instances) if lineup.answers_for(found.entity) is not lineup.champion]
    if others:
        canary = lineup.answers_for(instances[others[0]].entity)
        tried = _try(canary, [instances[place] for place in others], troubles)
        answers |= {place: (scored, canary.version) for place, scored in zip(others, tried, strict=False)}
    left = [place for place in range(len(instances)) if place not in answers]
    if left:
        scored = lineup.champion.scorer.score([instances[place].features for place in left])
        answers |= {place: (found, lineup.champion.version) for place, found in zip(left, scored, strict=True)}
    unseen = _shadows(instances, lineup.shadow, troubles)
    predictions = []
    for place, instance in enumerate(instances):
        own, version = answers[place]
        # An entity of the canary that the champion had to answer is one that it always answers.
        share = lineup.share_of(version) if lineup.answers_for(instance.entity).version == version else None
        assignment = assign(configuration, instance.entity, own.decision, share)
        predictions.append(instance.predicted(own, version, assignment, shadow=unseen.get(place)))
    return predictions, tuple(troubles)


def _shadows(
    instances: Sequence[Instance], shadow: InService[ScorerT] | None, troubles: list[str]
) -> dict[int, ShadowAnswer]:
    if shadow is None:
        return {}
    return {
        place: ShadowAnswer(
            version=shadow.version, score=found.score, decision=found.decision, probabilities=found.probabilities
        )
        for place, found in enumerate(_try(shadow, instances, troubles))
    }


def _try(tried: InService[ScorerT], instances: Sequence[Instance], troubles: list[str]) -> Sequence[ScoredInstance]:
    """Score instances with a version in a rollout; nothing if it cannot score all of them."""
    try:
        scored = tried.scorer.score([instance.features for instance in instances])
    except Exception as error:  # noqa: BLE001  on any error of it the champion predicts
        # Its kind alone: a library's message about a row it cannot read may hold the row's values.
        troubles.append(f"{tried.version} could not score: {type(error).__name__}")
        return []
    if len(scored) != len(instances):
        troubles.append(f"{tried.version} gave {len(scored)} answers to {len(instances)} instances")
        return []
    if not all(map(_is_storable, scored)):
        troubles.append(f"{tried.version} gave a score that is no number")
        return []
    return scored


def _is_storable(scored: ScoredInstance) -> bool:
    return math.isfinite(scored.score) and all(map(math.isfinite, (scored.probabilities or {}).values()))


def _read(reader: InstanceReader, items: Sequence[object]) -> list[Instance]:
    instances: list[Instance] = []
    faults: list[Fault] = []
    for index, raw in enumerate(items):
        path = f"instances[{index}]"
        try:
            instances.append(reader.read(parse_item(InstanceItem, raw, path), path))
        except InvalidInput as error:
            faults.extend(error.faults)
    if faults:
        raise InvalidInput(f"{faults[0].path} {faults[0].message}; nothing was predicted", tuple(faults))
    counts = Counter(instance.prediction_id for instance in instances)
    if repeated := [index for index, instance in enumerate(instances) if counts[instance.prediction_id] > 1]:
        raise Conflict("a prediction_id is given twice in one call", _taken(repeated))
    return instances


def _taken(indices: Sequence[int]) -> tuple[Fault, ...]:
    return tuple(Fault(f"instances[{index}].prediction_id", "is taken") for index in indices)
