"""Predictions made here: scored by the serving version, durable before they are answered."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.capture.instance import Instance, InstanceItem, InstanceReader, Scored
from shared.capture.intake import parse_item
from shared.capture.prediction import Features, Prediction
from shared.capture.prediction_log import PredictionLog
from shared.capture.prediction_store import SaveOutcome
from shared.errors import Conflict, Fault, InvalidInput


class Scorer(Protocol):
    """A version that serves."""

    def score(self, rows: Sequence[Features]) -> Sequence[Scored]:
        """Return what the version says of each row, in order."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """Answers predict calls."""

    log: PredictionLog

    def predict(
        self, reader: InstanceReader, items: Sequence[object], version: str, scorer: Scorer
    ) -> list[Prediction]:
        """Return a stored prediction for each instance, in order.

        An id that was predicted before, from the same instance, gets the same answer again.
        Raises InvalidInput if any instance is invalid (then none is predicted), Conflict if an id was used for
        another instance, Unavailable if the predictions could not be made durable.
        """
        instances = _read(reader, items)
        scored = scorer.score([instance.features for instance in instances])
        predictions = [instance.predicted(score, version) for instance, score in zip(instances, scored, strict=True)]
        results = self.log.keep(predictions, reader.configuration)
        conflicts = [index for index, saved in enumerate(results) if saved.outcome is SaveOutcome.CONFLICT]
        if conflicts:
            raise Conflict("a prediction_id was used before for another instance", _taken(conflicts))
        return [saved.kept for saved in results]


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
        raise Conflict("a prediction_id stands twice in one call", _taken(repeated))
    return instances


def _taken(indices: Sequence[int]) -> tuple[Fault, ...]:
    return tuple(Fault(f"instances[{index}].prediction_id", "is taken") for index in indices)
