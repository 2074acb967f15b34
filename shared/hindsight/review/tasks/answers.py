"""Reviewers' answers: each recorded on its task first, and published before it is acknowledged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hindsight.config.labels import Rule
from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import Conflict, Fault, HindsightError, InvalidInput, NotFound, Unavailable
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.store import LabelStore
from hindsight.review.tasks.annotation import answer_label, manual_rule
from hindsight.review.tasks.outbox import Outbox
from hindsight.review.tasks.resolution import resolve_task
from hindsight.review.tasks.store import TaskStore
from hindsight.review.tasks.task import UNNAMED_REVIEWER, Answer, ReviewTask, Skip
from hindsight.review.tasks.transitions import answered, skipped
from hindsight.validation.items import Identifier, Receipt, RequestItem, Value, parse_item

MAX_ANSWERS_BYTES = 1024 * 1024
MAX_COMMENT = 1000
_ROUNDS = 8
_NO_TASK = "is no task of this model"


class AnswerItem(RequestItem):
    """One answer of a review call: a value, or ``skip``; ``comment`` is for operators, who see it with the answer."""

    task_id: Identifier
    reviewer: Identifier = UNNAMED_REVIEWER
    value: Value = None
    skip: bool = False
    comment: Annotated[str, Field(min_length=1, max_length=MAX_COMMENT)] | None = None


@dataclass(frozen=True, slots=True)
class _ReviewItem:
    """A checked item of a call."""

    index: int
    answer: Answer | Skip


@dataclass(slots=True)
class _Outcome:
    """The result of some answers for their task."""

    task: ReviewTask
    accepted: list[int] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answers:
    """The intake of review calls."""

    tasks: TaskStore
    labels: LabelStore
    outbox: Outbox

    def take(self, configuration: ModelConfiguration, items: Sequence[object], now: datetime) -> Receipt:
        """Record every answer that counts, and report which ones were not taken and why.

        An answer sent again is accepted and changes nothing; another one takes the place of the reviewer's earlier one
        until the task is resolved. When none was taken, raises Conflict if any met a lease
        that is not there or a closed task, else InvalidInput if any could not be read, else NotFound.
        Raises Unavailable if they could not be made durable; sending them again is safe.
        """
        rule = manual_rule(configuration.labels)
        if rule is None:
            raise Conflict("the model has no rule of kind manual any more: no answer could become a label")
        receipt = Receipt()
        waiting = _read(configuration, rule, items, now, receipt)
        predictions = self.labels.predictions(list(waiting))
        kind = configuration.task
        outcomes: list[_Outcome] = []
        for _ in range(_ROUNDS):
            tasks = self.tasks.load([key for key in waiting if key in predictions])
            for key in [key for key in waiting if key not in tasks]:
                for given in waiting.pop(key):
                    receipt.reject(given.index, _refused(NotFound, given.index, _NO_TASK))
            for outcome in self._record(
                waiting, tasks, lambda task: resolve_task(task, rule, kind, predictions[task.key])
            ):
                outcomes.append(outcome)
                del waiting[outcome.task.key]
            if not waiting:
                break
        else:
            raise Unavailable("others keep answering the same tasks; send the answers again")
        self.outbox.send([outcome.task for outcome in outcomes])
        _report(outcomes, receipt)
        return receipt

    def _record(
        self,
        waiting: Mapping[PredictionKey, Sequence[_ReviewItem]],
        tasks: Mapping[PredictionKey, ReviewTask],
        resolve: Callable[[ReviewTask], ReviewTask],
    ) -> list[_Outcome]:
        """Write the answers to their tasks; return the written ones, without tasks that others changed."""
        outcomes = [_apply(task, waiting[key], resolve) for key, task in tasks.items()]
        changed = [outcome.task for outcome in outcomes if outcome.task != tasks[outcome.task.key]]
        written = self.tasks.save(changed)
        lost = {task.key for task in changed} - written.keys()
        return [
            replace(outcome, task=written.get(outcome.task.key, outcome.task))
            for outcome in outcomes
            if outcome.task.key not in lost
        ]


def _read(
    configuration: ModelConfiguration, rule: Rule, items: Sequence[object], now: datetime, receipt: Receipt
) -> dict[PredictionKey, list[_ReviewItem]]:
    """Read the answers that can be read, by their task; the others are rejected."""
    readable: dict[PredictionKey, list[_ReviewItem]] = {}
    for index, raw in enumerate(items):
        path = f"answers[{index}]"
        try:
            item = parse_item(AnswerItem, raw, path)
            answer = _answer(item, configuration, rule, now, path)
        except InvalidInput as error:
            receipt.reject(index, error)
        else:
            key = PredictionKey(configuration.model, item.task_id)
            readable.setdefault(key, []).append(_ReviewItem(index, answer))
    return readable


def _answer(item: AnswerItem, configuration: ModelConfiguration, rule: Rule, now: datetime, path: str) -> Answer | Skip:
    """Read an item's answer."""
    has_value = "value" in item.model_fields_set
    if item.skip and has_value:
        raise InvalidInput.at(f"{path}.skip", "cannot be sent with a value; send one of them")
    if item.skip:
        return Skip(reviewer=item.reviewer, at=now, comment=item.comment)
    if not has_value:
        raise InvalidInput.at(f"{path}.value", "is required, unless the task is skipped")
    try:
        label = answer_label(rule, item.value, configuration.labels, configuration.task)
    except InvalidInput as error:
        raise InvalidInput.at(f"{path}.value", error.faults[0].message) from error
    return Answer(reviewer=item.reviewer, value=item.value, label=label, at=now, comment=item.comment)


def _apply(task: ReviewTask, items: Sequence[_ReviewItem], resolve: Callable[[ReviewTask], ReviewTask]) -> _Outcome:
    outcome = _Outcome(task)
    for given in items:
        try:
            if isinstance(given.answer, Skip):
                outcome.task = skipped(outcome.task, given.answer)
            else:
                outcome.task = resolve(answered(outcome.task, given.answer))
        except Conflict as error:
            outcome.rejected.append((given.index, error.message))
        else:
            outcome.accepted.append(given.index)
    return outcome


def _report(outcomes: Sequence[_Outcome], receipt: Receipt) -> None:
    accepted = sorted((index, outcome.task.task_id) for outcome in outcomes for index in outcome.accepted)
    receipt.accepted.extend(task_id for _, task_id in accepted)
    for outcome in outcomes:
        for index, message in outcome.rejected:
            receipt.reject(index, _refused(Conflict, index, message))
    if not receipt.accepted:
        _refuse(receipt)


def _refuse(receipt: Receipt) -> None:
    """Raise the error of a call without accepted answers: a caller that reads only the status must see it."""
    faults = tuple(rejection.fault for rejection in receipt.in_order())
    codes = {rejection.code for rejection in receipt.rejected}
    kind = next(kind for kind in (Conflict, InvalidInput, NotFound) if kind.code in codes)
    raise kind(f"{faults[0].path} {faults[0].message}; nothing was taken", faults)


def _refused(kind: type[HindsightError], index: int, message: str) -> HindsightError:
    return kind(message, (Fault(f"answers[{index}].task_id", message),))
