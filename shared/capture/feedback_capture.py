"""Feedback in: checked against the configuration, durable before it is acknowledged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Protocol

from pydantic import Field

from shared import compact_json
from shared.capture.clocks import ClientTimestamps, settle_times
from shared.capture.feedback import Feedback
from shared.capture.intake import Identifier, Receipt, RequestItem, TimeText, parse_item
from shared.capture.prediction import body_digest
from shared.configuration.model import ModelConfiguration
from shared.errors import Fault, InvalidInput
from shared.labels.mapping import unreadable_value
from shared.times import format_time

MAX_FEEDBACK_BYTES = 1024 * 1024


class FeedbackStream(Protocol):
    """Where feedback becomes durable."""

    def append(self, lines: Sequence[bytes]) -> None:
        """Return once every line is durable. Raises Unavailable if that could not be had in time."""


class FeedbackItem(RequestItem):
    """One event of a feedback call."""

    feedback_id: Identifier
    prediction_id: Identifier
    name: Annotated[str, Field(min_length=1, max_length=64)]
    value: bool | int | float | Annotated[str, Field(max_length=1024)] | None = None
    occurred_at: TimeText | None = None
    received_at: TimeText | None = None
    source: Annotated[str, Field(max_length=64)] | None = None


@dataclass(frozen=True, slots=True)
class FeedbackCapture:
    """Takes feedback calls for one deployment."""

    stream: FeedbackStream
    trust: ClientTimestamps

    def capture(self, configuration: ModelConfiguration, items: Sequence[object], now: datetime) -> Receipt:
        """Make every valid event durable, and say which ones were not taken and why.

        Raises InvalidInput if none was valid, Unavailable if they could not be made durable; then nothing is
        acknowledged, and sending them again is safe.
        """
        receipt, lines = Receipt(), []
        for index, raw in enumerate(items):
            try:
                feedback = self._read(configuration, raw, f"events[{index}]", now)
            except InvalidInput as error:
                receipt.reject(index, error)
            else:
                lines.append(feedback_line(feedback))
                receipt.accepted.append(feedback.feedback_id)
        receipt.require_one_valid(len(items))
        self.stream.append(lines)
        return receipt

    def _read(self, configuration: ModelConfiguration, raw: object, path: str, now: datetime) -> Feedback:
        item = parse_item(FeedbackItem, raw, path)
        problem = unreadable_value(item.name, item.value, configuration.labels, configuration.task)
        if problem is not None:
            fault = Fault(f"{path}.{problem.path}", problem.message)
            raise InvalidInput(f"{fault.path} {fault.message}", (fault,))
        occurred_at, received_at = settle_times(
            item.occurred_at, item.received_at, now=now, trust=self.trust, path=path
        )
        return Feedback(
            model=configuration.model,
            prediction_id=item.prediction_id,
            feedback_id=item.feedback_id,
            name=item.name,
            value=item.value,
            occurred_at=occurred_at,
            received_at=received_at,
            source=item.source,
            # Not of the times we filled in: a client that retries without a time of its own sends the same body.
            body_digest=body_digest(item.model_dump(exclude={"received_at"})),
        )


def feedback_line(feedback: Feedback) -> bytes:
    """Return an event as one line of the raw feedback files."""
    row: Mapping[str, Any] = {
        "model": feedback.model,
        "feedback_id": feedback.feedback_id,
        "prediction_id": feedback.prediction_id,
        "name": feedback.name,
        "value": feedback.value,
        "occurred_at": format_time(feedback.occurred_at),
        "received_at": format_time(feedback.received_at),
        "source": feedback.source,
        "body_digest": feedback.body_digest,
    }
    return compact_json.dumps({name: value for name, value in row.items() if value is not None}).encode() + b"\n"
