"""Feedback in: checked against the configuration, durable before it is acknowledged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol

from pydantic import Field

from hindsight.config.labels import MatchBy
from hindsight.config.model import ModelConfiguration
from hindsight.core import compact_json
from hindsight.core.errors import Fault, InvalidInput, Unavailable
from hindsight.core.times import format_time
from hindsight.entities.feedback import MAX_NAME, REVIEW_IDS, Feedback
from hindsight.entities.prediction import body_digest
from hindsight.ingestion.feedback_token import MAX_TOKEN, TokenHolder, TokenKeys, TokenUnverified, require_token
from hindsight.labels.mapping import unreadable_value
from hindsight.quarantine.rejects import RowKind, rejected_line
from hindsight.validation.items import Identifier, Receipt, RequestItem, TimeText, Value, parse_item
from hindsight.validation.timestamps import ClientTimestamps, settle_times

MAX_FEEDBACK_BYTES = 1024 * 1024
EVENTS = "events"
_FIELDS = {MatchBy.PREDICTION: "prediction_id", MatchBy.ENTITY: "entity_id", MatchBy.REFERENCE: "reference"}


class FeedbackStream(Protocol):
    """The stream that makes feedback durable, and whatever calls reject."""

    def append(self, lines: Sequence[bytes]) -> None:
        """Append lines, all durably. Raises Unavailable if that could not be had in time."""


class FeedbackItem(RequestItem):
    """One event of a feedback call."""

    feedback_id: Identifier
    prediction_id: Identifier | None = None
    entity_id: Identifier | None = None
    reference: Identifier | None = None
    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    value: Value = None
    occurred_at: TimeText | None = None
    received_at: TimeText | None = None
    source: Annotated[str, Field(min_length=1, max_length=MAX_NAME)] | None = None
    token: Annotated[str, Field(max_length=MAX_TOKEN)] | None = None


@dataclass(frozen=True, slots=True)
class FeedbackReader:
    """The reader of one call's, file's or replay's events, checked against the model's configuration.

    Without ``keys`` no token is asked for: what operators import or replay needs none.
    """

    configuration: ModelConfiguration
    now: datetime
    trust: ClientTimestamps
    keys: TokenKeys | None = None

    def read(self, raw: object, path: str, sent_at: datetime | None = None) -> Feedback:
        """Read the event an item describes. Raises InvalidInput with the path at fault.

        An event without a time occurred when it was sent: now, unless it was ``sent_at`` another time.
        """
        item = parse_item(FeedbackItem, raw, path)
        by = _named_by(item, path)
        if self.keys is not None and self.configuration.feedback.token.required:
            if item.prediction_id is None:
                raise InvalidInput.at(f"{path}.{_FIELDS[by]}", "the model asks for tokens, which name a prediction_id")
            holder = TokenHolder(self.configuration.model, item.prediction_id, path)
            require_token(self.keys, item.token, holder, self.now)
        problem = unreadable_value(item.name, item.value, self.configuration.labels, self.configuration.task, by)
        if item.feedback_id.startswith(REVIEW_IDS) and self.trust is not ClientTimestamps.PAST:
            problem = Fault("feedback_id", f"must not begin with {REVIEW_IDS!r}: those ids are the reviewers'")
        if problem is not None:
            raise InvalidInput.at(f"{path}.{problem.path}", problem.message)
        fallback = format_time(sent_at) if sent_at is not None else None
        occurred_at, received_at = settle_times(
            item.occurred_at or fallback, item.received_at, now=self.now, trust=self.trust, path=path
        )
        return Feedback(
            model=self.configuration.model,
            prediction_id=item.prediction_id,
            entity_id=item.entity_id,
            reference=item.reference,
            feedback_id=item.feedback_id,
            name=item.name,
            value=item.value,
            occurred_at=occurred_at,
            received_at=received_at,
            source=item.source,
            body_digest=body_digest(
                {
                    **item.model_dump(exclude={"received_at", "token"}),
                    # Not a time that we filled in: a client that retries without a time sends the same body.
                    "occurred_at": format_time(occurred_at) if item.occurred_at is not None else None,
                }
            ),
        )


@dataclass(frozen=True, slots=True)
class FeedbackCapture:
    """The intake of feedback calls of one deployment."""

    stream: FeedbackStream
    trust: ClientTimestamps
    keys: TokenKeys | None = None

    def capture(self, configuration: ModelConfiguration, items: Sequence[object], now: datetime) -> Receipt:
        """Make every valid event durable, and report which ones were not taken and why.

        What is not taken goes the same way, with its reason, to quarantine; but for what came without its token:
        its sender is unknown, and a replay would take it.
        Raises InvalidInput if none was valid, Unavailable if they could not be made durable; then nothing is
        acknowledged, and sending them again is safe.
        """
        receipt, lines = read_all(FeedbackReader(configuration, now, self.trust, self.keys), items)
        _require_verdicts(receipt)
        # In the same records: no second service delays an answer.
        rejected = [
            rejected_line(RowKind.FEEDBACK, configuration.model, rejection, items[rejection.index], now)
            for rejection in receipt.rejected
            if rejection.code == InvalidInput.code
        ]
        if lines or rejected:
            self.stream.append([*lines, *rejected])
        receipt.require_one_valid(len(items))
        return receipt

    def take(self, reader: FeedbackReader, items: Sequence[object]) -> Receipt:
        """Make every valid event durable, and report which ones were not; those are the caller's to keep.

        Raises Unavailable.
        """
        receipt, lines = read_all(reader, items)
        if lines:
            self.stream.append(lines)
        return receipt


def _named_by(item: FeedbackItem, path: str) -> MatchBy:
    """Find what an event names. Raises InvalidInput unless it is one thing."""
    named = [by for by, name in _FIELDS.items() if getattr(item, name) is not None]
    if not named:
        raise InvalidInput.at(f"{path}.prediction_id", "is required, or entity_id or reference in its place")
    if len(named) > 1:
        raise InvalidInput.at(f"{path}.{_FIELDS[named[1]]}", f"must not stand beside {_FIELDS[named[0]]}")
    return named[0]


def _require_verdicts(receipt: Receipt) -> None:
    """Raise Unavailable where no event was accepted and another attempt may succeed."""
    if not receipt.accepted and any(rejection.code == TokenUnverified.code for rejection in receipt.rejected):
        raise Unavailable("tokens could not be checked now, and nothing was taken; try again")


def read_all(reader: FeedbackReader, items: Sequence[object]) -> tuple[Receipt, list[bytes]]:
    """Decide what becomes of the events of a call, and the valid ones as lines of the raw feedback files."""
    receipt, lines = Receipt(), []
    for index, raw in enumerate(items):
        try:
            feedback = reader.read(raw, f"{EVENTS}[{index}]")
        except InvalidInput as error:
            receipt.reject(index, error)
        else:
            lines.append(feedback_line(feedback))
            receipt.accepted.append(feedback.feedback_id)
    return receipt, lines


def feedback_line(feedback: Feedback) -> bytes:
    """Write an event as one line of the raw feedback files."""
    return compact_json.dumps(feedback.to_plain()).encode() + b"\n"
