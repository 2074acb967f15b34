"""Review tasks of predictions that an operator names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hindsight.config.model import ModelConfiguration
from hindsight.config.types import NO_IDENTIFIER, is_identifier
from hindsight.core.errors import Conflict, Fault, HindsightError, InvalidInput, NotFound, Unavailable
from hindsight.entities.prediction import Prediction, PredictionKey
from hindsight.labels.resolve import shifted
from hindsight.labels.store import LabelStore
from hindsight.review.requests.body import ReviewOperation
from hindsight.review.selection.sample import SampleReason
from hindsight.review.tasks.annotation import manual_rule
from hindsight.review.tasks.store import TaskStore
from hindsight.review.tasks.task import ReviewAudit, ReviewTask
from hindsight.review.tasks.transitions import requested
from hindsight.validation.items import Receipt, items_of, parse_item
from hindsight.validation.timestamps import ClientTimestamps

PREDICTIONS = "prediction_ids"
REQUEST_FIELDS = frozenset({PREDICTIONS, *ReviewOperation.model_fields})
_ROUNDS = 8


@dataclass(slots=True)
class _Request:
    """The predictions of a call by the index of their item, and the outcome of those that are done."""

    waiting: dict[PredictionKey, int] = field(default_factory=dict)
    accepted: dict[int, str] = field(default_factory=dict)
    receipt: Receipt = field(default_factory=Receipt)

    def refuse(self, index: int, kind: type[HindsightError], message: str) -> None:
        self.receipt.reject(index, kind(message, (Fault(f"{PREDICTIONS}[{index}]", message),)))

    def refuse_waiting(self, key: PredictionKey, kind: type[HindsightError], message: str) -> None:
        self.refuse(self.waiting.pop(key), kind, message)

    def accept(self, key: PredictionKey) -> None:
        self.accepted[self.waiting.pop(key)] = key.prediction_id


@dataclass(frozen=True, slots=True)
class RequestedReviews:
    """The reviews of predictions that operators name."""

    tasks: TaskStore
    labels: LabelStore
    trust: ClientTimestamps

    def take(self, configuration: ModelConfiguration, body: Mapping[str, object], now: datetime, actor: str) -> Receipt:
        """Make a task of each prediction that is named, and report which ones were not taken and why.

        One that closed without an answer is offered again. Raises InvalidInput with the paths at fault, TooLarge,
        Conflict where no answer could become a label, and Unavailable.
        """
        items = items_of(dict(body), PREDICTIONS)
        rest = {name: value for name, value in body.items() if name != PREDICTIONS}
        audit = parse_item(ReviewOperation, rest, "").audit(actor, now, self.trust)
        if manual_rule(configuration.labels) is None:
            raise Conflict("the model has no rule of kind manual: no answer could become a label")
        request = _read(configuration.model, items)
        predictions = self.labels.predictions(list(request.waiting))
        for key in [key for key in request.waiting if key not in predictions]:
            request.refuse_waiting(key, NotFound, "is no prediction of this model")
        for _ in range(_ROUNDS):
            if not request.waiting:
                break
            self._write(request, predictions, configuration, audit)
        if request.waiting:
            raise Unavailable("others keep changing the same tasks; send the request again")
        request.receipt.accepted.extend(request.accepted[index] for index in sorted(request.accepted))
        request.receipt.require_one_valid(len(items))
        return request.receipt

    def _write(
        self,
        request: _Request,
        predictions: Mapping[PredictionKey, Prediction],
        configuration: ModelConfiguration,
        audit: ReviewAudit,
    ) -> None:
        """Write the tasks that wait; those that others changed meanwhile wait on."""
        found = self.tasks.load(list(request.waiting))
        new = [new_task_of(predictions[key], configuration, audit) for key in request.waiting if key not in found]
        again = []
        for key, task in found.items():
            try:
                again.append(requested(task, audit, configuration.review.expires))
            except Conflict as error:
                request.refuse_waiting(key, Conflict, error.message)
        for key in {*self.tasks.create(new), *self.tasks.save(again)}:
            request.accept(key)


def new_task_of(prediction: Prediction, configuration: ModelConfiguration, audit: ReviewAudit) -> ReviewTask:
    """Build the task of a prediction that an operator names; it has no selection probability, as it was not sampled."""
    return ReviewTask(
        key=PredictionKey(configuration.model, prediction.prediction_id),
        reason=SampleReason.REQUESTED,
        selection_probability=None,
        created_at=audit.at,
        closes_at=shifted(audit.at, configuration.review.expires),
        overlap=configuration.review.overlap,
        expires_at=int(shifted(prediction.received_at, configuration.retention).timestamp()),
        request=audit,
    )


def _read(model: str, items: Sequence[object]) -> _Request:
    request = _Request()
    for index, item in enumerate(items):
        if not isinstance(item, str) or not is_identifier(item):
            request.refuse(index, InvalidInput, NO_IDENTIFIER)
        elif PredictionKey(model, item) in request.waiting:
            request.refuse(index, Conflict, "is named twice")
        else:
            request.waiting[PredictionKey(model, item)] = index
    return request
