"""Predictions in: those made elsewhere, and the keeping of all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from pydantic import Field

from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration, unfit_label
from hindsight.config.types import Number, format_duration
from hindsight.core import compact_json
from hindsight.core.errors import Fault, InvalidInput
from hindsight.entities.prediction import Decision, Prediction, ShadowAnswer
from hindsight.ingestion.feedback_capture import FeedbackStream
from hindsight.ingestion.instance import Assignment, InstanceItem, InstanceReader, ScoredInstance, as_decision
from hindsight.ingestion.prediction_store import EarlyFeedback, PredictionStore, SavedPrediction, SaveOutcome
from hindsight.labels.resolve import first_due_at
from hindsight.labels.rules import ready_rules
from hindsight.quarantine.rejects import RowKind, rejected_line
from hindsight.validation.items import CONFLICT, Identifier, Integer, Receipt, Rejection, RequestItem, parse_item

MAX_PREDICTIONS_BYTES = 3_584 * 1024
"""API Gateway hands the body to a function as JSON text, where quotes count twice, in an event of 6 MB at most.

Rows of short categorical features grow by six tenths: the gateway takes every body within this limit.
"""
DECISION_THRESHOLD = 0.5
PREDICTIONS = "predictions"
DUE_AFTER_WINDOWS = "due_after_windows"


DecisionField = bool | Integer | Number | Annotated[str, Field(max_length=256)] | None
Share = Annotated[float, Field(ge=0, le=1)]
MAX_CLASSES = 1000
MAX_WEIGHT = 1_000_000.0
ProbabilitiesField = Annotated[dict[str, Share], Field(min_length=2, max_length=MAX_CLASSES)] | None
# With the largest features the prediction still fits an item of the table.
MAX_PROBABILITIES_BYTES = 128 * 1024
# Scores are often rounded before they are sent.
_ROUNDING = 0.01


class ScoreFields(Protocol):
    """The fields by which every item has an answer."""

    @property
    def score(self) -> float:
        """The score."""

    @property
    def decision(self) -> bool | float | str | None:
        """The decision, None where the score decides."""


class ShadowItem(RequestItem):
    """The answer of another version to the same instance, which the app did not use."""

    version: Identifier
    score: Number
    decision: DecisionField = None


class PredictionItem(InstanceItem):
    """A prediction made elsewhere."""

    score: Number
    model_version: Identifier
    decision: DecisionField = None
    probabilities: ProbabilitiesField = None
    propensity: Annotated[float, Field(gt=0, le=1)] | None = None
    model_decision: DecisionField = None
    weight: Annotated[float, Field(ge=1, le=MAX_WEIGHT)] | None = None
    shadow: ShadowItem | None = None


@dataclass(frozen=True, slots=True)
class PredictionLog:
    """The log of predictions, which also joins the feedback that came before them."""

    store: PredictionStore
    early_feedback: EarlyFeedback

    def take(self, reader: InstanceReader, items: Sequence[object]) -> Receipt:
        """Keep predictions made elsewhere, and report which ones were not; those are the caller's to keep.

        Raises Unavailable if they could not be made durable.
        """
        receipt = Receipt()
        predictions: dict[str, Prediction] = {}
        indices: dict[str, list[int]] = {}
        displaced: dict[str, list[int]] = {}
        for index, raw in enumerate(items):
            try:
                prediction = _read(reader, raw, f"{PREDICTIONS}[{index}]")
            except InvalidInput as error:
                receipt.reject(index, error)
                continue
            if not reader.configuration.labels.reaches(prediction.outcome_due_at - prediction.occurred_at):
                receipt.warnings.append(_due_after_windows(index, prediction, reader.configuration))
            first = predictions.setdefault(prediction.prediction_id, prediction)
            found = indices if first.body_digest == prediction.body_digest else displaced
            found.setdefault(prediction.prediction_id, []).append(index)
        for saved in self.keep(list(predictions.values()), reader.configuration):
            name = saved.kept.prediction_id
            refused = displaced.get(name, [])
            if saved.outcome is SaveOutcome.CONFLICT:
                refused = [*indices[name], *refused]
            else:
                receipt.accepted.extend([name] * len(indices[name]))
            receipt.rejected.extend(_conflict(index, saved.is_erased) for index in refused)
        return receipt

    def keep(self, predictions: Sequence[Prediction], configuration: ModelConfiguration) -> list[SavedPrediction]:
        """Make predictions durable, then join the feedback that was there before them."""
        rules = ready_rules(configuration.labels, configuration.task)
        results = self.store.save(
            predictions, configuration.retention, lambda prediction: first_due_at(prediction, rules)
        )
        waiting = [saved.kept.key for saved in results if saved.feedback_waits]
        if waiting:
            self.early_feedback.rejoin(waiting)
        return results


@dataclass(frozen=True, slots=True)
class PredictionCapture:
    """The intake of calls that log predictions."""

    log: PredictionLog
    stream: FeedbackStream

    def capture(self, reader: InstanceReader, items: Sequence[object]) -> Receipt:
        """Make every valid prediction durable, and report which ones were not taken and why.

        What is not taken goes through the stream, with its reason, to quarantine; but for what was erased.
        Raises InvalidInput if none was valid, Unavailable if anything could not be made durable; then nothing is
        acknowledged, and sending the call again changes nothing that was kept under an id of the caller's.
        """
        receipt = self.log.take(reader, items)
        model = reader.configuration.model
        lines = [
            rejected_line(RowKind.PREDICTION, model, rejection, items[rejection.index], reader.now)
            for rejection in receipt.in_order()
            if not rejection.is_erased
        ]
        if lines:
            self.stream.append(lines)
        receipt.require_one_valid(len(items))
        return receipt


def _read(reader: InstanceReader, raw: object, path: str) -> Prediction:
    item = parse_item(PredictionItem, raw, path)
    task = reader.configuration.task
    taken = scored_elsewhere(item, task, path)
    own = _own_decision(item, taken.decision, task, path)
    scored = ScoredInstance(item.score, own, item.probabilities)
    if item.probabilities is not None:
        require_probabilities(item.probabilities, scored, task, path)
    shadow = _shadow(item, task, path)
    return reader.read(_spelled(item, taken, own, shadow), path).predicted(
        scored,
        item.model_version,
        Assignment(propensity=item.propensity, explored=None if own == taken.decision else taken.decision),
        shadow=shadow,
        weight=None if item.weight == 1 else item.weight,
    )


def _own_decision(item: PredictionItem, taken: Decision, task: Task, path: str) -> Decision:
    """Read the version's own decision, that taken unless another one was to explore. Raises InvalidInput."""
    if item.model_decision is None:
        return taken
    if task is Task.REGRESSION:
        raise InvalidInput.at(f"{path}.model_decision", "is for binary and multiclass tasks")
    if item.decision is None:
        raise InvalidInput.at(f"{path}.decision", "is required beside model_decision")
    if problem := unfit_label(item.model_decision, task):
        raise InvalidInput.at(f"{path}.model_decision", problem)
    return as_decision(item.model_decision, task)


def _spelled(item: PredictionItem, taken: ScoredInstance, own: Decision, shadow: ShadowAnswer | None) -> PredictionItem:
    """Write the decisions of an item as they are kept: true, 1 and "1" make one body."""
    changes: dict[str, object] = {} if item.decision is None else {"decision": taken.decision}
    if item.model_decision is not None:
        changes["model_decision"] = own
    if item.shadow is not None and shadow is not None and item.shadow.decision is not None:
        changes["shadow"] = item.shadow.model_copy(update={"decision": shadow.decision})
    return item.model_copy(update=changes)


def _shadow(item: PredictionItem, task: Task, path: str) -> ShadowAnswer | None:
    """Read the answer of a shadow. Raises InvalidInput with the path at fault."""
    if item.shadow is None:
        return None
    if item.shadow.version == item.model_version:
        raise InvalidInput.at(f"{path}.shadow.version", "is the version that answered")
    scored = scored_elsewhere(item.shadow, task, f"{path}.shadow")
    return ShadowAnswer(version=item.shadow.version, score=scored.score, decision=scored.decision)


def require_probabilities(found: Mapping[str, float], scored: ScoredInstance, task: Task, path: str) -> None:
    """Require the probabilities of all classes, whose decided one has the score. Raises InvalidInput."""
    if task is not Task.MULTICLASS:
        raise InvalidInput.at(f"{path}.probabilities", f"is for multiclass tasks, not {task}")
    if len(compact_json.dumps(dict(found)).encode()) > MAX_PROBABILITIES_BYTES:
        raise InvalidInput.at(f"{path}.probabilities", f"is larger than {MAX_PROBABILITIES_BYTES} bytes")
    if abs(sum(found.values()) - 1) > _ROUNDING:
        raise InvalidInput.at(f"{path}.probabilities", "must sum to 1")
    decided = found.get(str(scored.decision))
    if decided is None:
        raise InvalidInput.at(f"{path}.probabilities", "has no class of the name of the decision")
    if abs(decided - scored.score) > _ROUNDING:
        raise InvalidInput.at(f"{path}.score", "is not the probability of the decision")


def scored_elsewhere(item: ScoreFields, task: Task, path: str) -> ScoredInstance:
    """Read a score and the decision by it as a task takes them. Raises InvalidInput with the path at fault."""
    if task is not Task.REGRESSION and not 0 <= item.score <= 1:
        raise InvalidInput.at(f"{path}.score", "must be a probability from 0 to 1")
    if item.decision is None and task is Task.MULTICLASS:
        raise InvalidInput.at(f"{path}.decision", "is required for a multiclass task")
    if item.decision is not None and (problem := unfit_label(item.decision, task)):
        raise InvalidInput.at(f"{path}.decision", problem)
    return ScoredInstance(item.score, _decision(item, task))


def _decision(item: ScoreFields, task: Task) -> Decision:
    if task is Task.REGRESSION:
        return item.score if item.decision is None else float(item.decision)
    if item.decision is None:
        return int(item.score >= DECISION_THRESHOLD)
    return as_decision(item.decision, task)


def _conflict(index: int, is_erased: bool) -> Rejection:
    fault = Fault(f"{PREDICTIONS}[{index}].prediction_id", "was sent before with another body")
    return Rejection(index, CONFLICT, fault, is_erased)


def _due_after_windows(index: int, prediction: Prediction, configuration: ModelConfiguration) -> Rejection:
    """Warn of an outcome that will make no label: the rules' windows are over before it is due."""
    delay = format_duration(prediction.outcome_due_at - prediction.occurred_at)
    reach = format_duration(configuration.labels.longest_window)
    message = f"lies {delay} after the prediction; an outcome later than {reach} after it makes no label"
    return Rejection(index, DUE_AFTER_WINDOWS, Fault(f"{PREDICTIONS}[{index}].outcome_due_at", message))
