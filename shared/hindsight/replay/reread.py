"""Reading again, under today's configuration, what could not be taken before."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from hindsight.config.model import ModelConfiguration
from hindsight.config.store import ConfigurationStore, remembered
from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput, shortened
from hindsight.core.times import format_time
from hindsight.entities.feedback import Feedback
from hindsight.entities.label_collection import Collection
from hindsight.entities.prediction import PredictionKey
from hindsight.ingestion.feedback_capture import FeedbackReader, FeedbackStream, feedback_line
from hindsight.ingestion.instance import InstanceReader
from hindsight.ingestion.prediction_log import PREDICTIONS, PredictionLog
from hindsight.labels.joining.feedback_files import is_feedback_file, parse_feedback_line
from hindsight.labels.mapping import unreadable_value
from hindsight.labels.store import LabelStore
from hindsight.quarantine.rejects import Reject, RejectCode, RowKind
from hindsight.quarantine.store import UNREADABLE, QuarantinedRow, kept_text
from hindsight.registry.served_features import ServedByModel
from hindsight.validation.features import NOTHING_SERVED
from hindsight.validation.items import path_within
from hindsight.validation.line_items import from_import, identified, no_id
from hindsight.validation.timestamps import ClientTimestamps

_ITEM = "item"
Known = Callable[[str], ModelConfiguration | None]


@dataclass(frozen=True, slots=True)
class RereadCounts:
    """The result of rereading rows: those sent as feedback, already joined, and kept with their newest reason."""

    replayed: list[QuarantinedRow] = field(default_factory=list)
    joined: list[QuarantinedRow] = field(default_factory=list)
    kept: list[QuarantinedRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rereader:
    """The reader of quarantined rows that are good by now; ids recognise the rows it took before."""

    stream: FeedbackStream
    log: PredictionLog
    labels: LabelStore
    configurations: ConfigurationStore
    trust: ClientTimestamps
    served: ServedByModel = lambda _model: NOTHING_SERVED

    def take(self, rows: Sequence[QuarantinedRow], now: datetime) -> RereadCounts:
        """Take rows again; report what became of them once all is durable. It is received ``now``, not before.

        Raises Unavailable; taking all of them again is safe.
        """
        reread, known = RereadCounts(), remembered(self.configurations)
        # Nothing is known of the end of a text that was cut; and of one id the first body stays, after a replay too.
        readable = [row for row in rows if row.code is not RejectCode.CONFLICT and not row.is_truncated]
        reread.kept.extend(row for row in rows if row.code is RejectCode.CONFLICT or row.is_truncated)
        self._take_feedback([row for row in readable if row.kind is RowKind.FEEDBACK], now, known, reread)
        self._take_predictions([row for row in readable if row.kind is RowKind.PREDICTION], now, known, reread)
        return reread

    def _take_feedback(self, rows: Sequence[QuarantinedRow], now: datetime, known: Known, reread: RereadCounts) -> None:
        found: list[tuple[QuarantinedRow, Feedback]] = []
        for row in rows:
            event = self._event(row, now, known)
            if isinstance(event, Feedback):
                found.append((row, event))
            else:
                reread.kept.append(event)
        # Of an event by entity or reference its key knows whether it waits: it is sent again as it is.
        unmatched = [event.key for row, event in found if row.code is RejectCode.UNMATCHED and event.prediction_id]
        collections = self._collections(unmatched)
        lines = []
        for row, event in found:
            collection = collections.get(event.key) if row.code is RejectCode.UNMATCHED else None
            if collection is not None and (collection.head is None or collection.head.prediction is None):
                reread.kept.append(row)
            elif collection is not None and _holds(collection, event):
                reread.joined.append(row)
            else:
                reread.replayed.append(row)
                lines.append(feedback_line(event.replace(received_at=now)))
        if lines:
            self.stream.append(lines)

    def _event(self, row: QuarantinedRow, now: datetime, known: Known) -> Feedback | QuarantinedRow:
        parsed = _parsed(row)
        if isinstance(parsed, Reject):
            return _still_rejected(row, parsed)
        if parsed is not None:
            row = row.replace(model=parsed.model, event=parsed.to_plain(), text=None)
        model = row.model
        configuration = known(model)
        if configuration is None:
            return _unknown(row, model)
        if parsed is None:
            return self._item(row, configuration, now)
        fault = unreadable_value(parsed.name, parsed.value, configuration.labels, configuration.task, parsed.by)
        return parsed if fault is None else _invalid(row, fault.message, fault.path)

    def _item(self, row: QuarantinedRow, configuration: ModelConfiguration, now: datetime) -> Feedback | QuarantinedRow:
        try:
            item = _as_sent(row)
        except InvalidInput as error:
            return row.replace(code=RejectCode.MALFORMED, reason=shortened(error.message))
        try:
            return FeedbackReader(configuration, now, self._trust(row)).read(item, _ITEM, sent_at=row.received_at)
        except InvalidInput as error:
            return _invalid(row, error.faults[0].message, path_within(error.faults[0].path, _ITEM))

    def _trust(self, row: QuarantinedRow) -> ClientTimestamps:
        return ClientTimestamps.PAST if from_import(row.file) else self.trust

    def _collections(self, keys: Iterable[PredictionKey]) -> dict[PredictionKey, Collection]:
        wanted = list(dict.fromkeys(keys))
        return dict(zip(wanted, self.labels.load(wanted), strict=True)) if wanted else {}

    def _take_predictions(
        self, rows: Sequence[QuarantinedRow], now: datetime, known: Known, reread: RereadCounts
    ) -> None:
        for (model, sent_at, trust), group in groupby(rows, lambda row: (row.model, row.received_at, self._trust(row))):
            configuration, found = known(model), list(group)
            if configuration is None:
                reread.kept.extend(_unknown(row, model) for row in found)
                continue
            items: list[tuple[QuarantinedRow, Any]] = []
            for row in found:
                try:
                    items.append((row, _prediction_item(row, now, trust)))
                except InvalidInput as error:
                    reread.kept.append(row.replace(code=RejectCode.MALFORMED, reason=shortened(error.message)))
            reader = InstanceReader(
                configuration,
                now,
                trust,
                new_id=no_id,
                sent_at=sent_at,
                served=self.served(configuration.model),
            )
            receipt = self.log.take(reader, [item for _, item in items])
            refused = {rejection.index: rejection for rejection in receipt.rejected}
            for index, (row, _) in enumerate(items):
                if (rejection := refused.get(index)) is None:
                    reread.replayed.append(row)
                else:
                    path = path_within(rejection.fault.path, f"{PREDICTIONS}[{index}]")
                    kept = _invalid(row, rejection.fault.message, path)
                    reread.kept.append(kept.replace(code=RejectCode(rejection.code)))


def _parsed(row: QuarantinedRow) -> Feedback | Reject | None:
    """Read the event a row of the raw feedback holds, or why it holds none; None where the row is a client's item."""
    if row.event is not None:
        return parse_feedback_line(compact_json.dumps(row.event).encode())
    if row.code is RejectCode.MALFORMED and is_feedback_file(row.file or ""):
        return parse_feedback_line((row.text or "").encode())
    return None


def _still_rejected(row: QuarantinedRow, reject: Reject) -> QuarantinedRow:
    if reject.text is None:
        return row.replace(code=reject.code, reason=reject.reason)
    # A line by which a call passed on an item, and which could not be read until now.
    text, was_cut = kept_text(reject.text)
    return row.replace(
        code=reject.code,
        kind=reject.kind,
        reason=reject.reason,
        path=reject.path,
        model=reject.model or UNREADABLE,
        received_at=reject.received_at,
        text=text,
        is_truncated=reject.is_truncated or was_cut,
    )


def _as_sent(row: QuarantinedRow) -> Any:
    """Parse a row's item; what a call sent is judged part by part, as the call was, and a line as a whole."""
    text = row.text or ""
    return compact_json.loads(text) if from_import(row.file) else compact_json.parse(text)


def _prediction_item(row: QuarantinedRow, now: datetime, trust: ClientTimestamps) -> Any:
    item = identified(_as_sent(row), row.file or "", row.line or 0, row.text or "")
    if trust is ClientTimestamps.BOUNDED or not isinstance(item, dict):
        return item
    return {**item, "received_at": format_time(now)}


def _holds(collection: Collection, event: Feedback) -> bool:
    return any(
        (kept.feedback_id, kept.body_digest) == (event.feedback_id, event.body_digest) for kept in collection.feedback
    )


def _unknown(row: QuarantinedRow, model: str) -> QuarantinedRow:
    return row.replace(code=RejectCode.UNKNOWN_MODEL, reason=f"no model is called {model!r}")


def _invalid(row: QuarantinedRow, reason: str, path: str) -> QuarantinedRow:
    return row.replace(code=RejectCode.INVALID, reason=shortened(reason), path=shortened(path))
