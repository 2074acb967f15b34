"""The append-only history of a label: what to add so that it says at every moment what is true of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.capture.feedback import Feedback
from shared.configuration.store import ConfigurationRevision
from shared.labels.label import Label, LabelRecord
from shared.labels.resolve import PENDING, Timed, clock_moments, resolution

MAX_RECORDS = 50


def new_records(
    prediction: Timed,
    events: Sequence[Feedback],
    existing: Sequence[LabelRecord],
    rules: ConfigurationRevision,
    span: tuple[datetime, datetime],
) -> tuple[tuple[LabelRecord, ...], datetime | None]:
    """Return the records to append to a history so that it is right at every moment of a span, both ends included.

    The label at a moment is that of the record with the highest ``seq`` known by then; before the first it is
    pending. Each record is known from the moment its label first held, whenever it is written. The second value is
    when the clock changes the label next, after the span, if no more feedback comes.
    """
    labels, task = rules.configuration.labels, rules.configuration.task
    appended: list[tuple[datetime, Label]] = []
    next_change_at = None
    for moment in _moments(prediction, events, existing, rules, span):
        found = resolution(prediction, events, labels, task, moment)
        label, next_change_at = found.label, found.next_change_at
        if label != (appended[-1][1] if appended else label_at(existing, moment)):
            appended.append((moment, label))
    last_seq = max((record.seq for record in existing), default=0)
    # A transaction has room for so many; of an older history rewritten at once only the newest part is told.
    records = tuple(
        LabelRecord(seq=last_seq + position, label=label, rules_revision=rules.revision, known_at=moment)
        for position, (moment, label) in enumerate(appended[-MAX_RECORDS:], start=1)
    )
    return records, next_change_at


def label_at(records: Iterable[LabelRecord], moment: datetime) -> Label:
    """Return the label a history tells for a moment."""
    known = [record for record in records if record.known_at <= moment]
    return max(known, key=lambda record: record.seq).label if known else PENDING


def _moments(
    prediction: Timed,
    events: Iterable[Feedback],
    existing: Iterable[LabelRecord],
    rules: ConfigurationRevision,
    span: tuple[datetime, datetime],
) -> list[datetime]:
    since, until = span
    candidates = [event.received_at for event in events]
    candidates += clock_moments(prediction, rules.configuration.labels)
    candidates += [record.known_at for record in existing]
    return sorted({since, *(moment for moment in candidates if since < moment <= until)})
