"""The append-only history of a label: the records to add so that it is right at every moment."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from hindsight.config.store import ConfigurationRevision
from hindsight.entities.feedback import FOR_EVER, Feedback
from hindsight.entities.label import Label, LabelRecord
from hindsight.labels.resolve import PENDING, Resolution, TimedPrediction, resolution
from hindsight.labels.rules import Rules, rules_of

MAX_RECORDS = 50


class NewRecords(Struct, frozen=True, gc=False):
    """The records to append to a history, and the next moment that changes the label if no more feedback comes."""

    records: tuple[LabelRecord, ...]
    next_change_at: datetime | None
    unrecorded_from: datetime | None


def new_records(
    prediction: TimedPrediction,
    events: Sequence[Feedback],
    existing: Sequence[LabelRecord],
    revision: ConfigurationRevision,
    span: tuple[datetime, datetime],
) -> NewRecords:
    """Compute the records to append to a history so that it is right at every moment of a span, both ends included.

    The label at a moment is that of the record with the highest ``seq`` known by then; before the first it is
    pending. Each record is known from the moment its label first held, whenever it is written. A transaction has room
    for ``MAX_RECORDS``: of a longer history the beginning is recorded, and ``unrecorded_from`` is where to go on.
    """
    appended: list[tuple[datetime, Label]] = []
    next_change_at = None
    known_at = [record.known_at for record in existing]
    for moment, found in _resolutions(prediction, events, known_at, rules_of(revision), span):
        next_change_at = found.next_change_at
        if found.label != (appended[-1][1] if appended else label_at(existing, moment)):
            appended.append((moment, found.label))
    last_seq = max((record.seq for record in existing), default=0)
    values = [None, *(record.label.value for record in existing), *(label.value for _, label in appended)]
    records = tuple(
        LabelRecord(
            seq=last_seq + position,
            label=label,
            rules_revision=revision.revision,
            known_at=moment,
            is_new=label.value not in values[: len(existing) + position],
        )
        for position, (moment, label) in enumerate(appended[:MAX_RECORDS], start=1)
    )
    unrecorded_from = appended[MAX_RECORDS][0] if len(appended) > MAX_RECORDS else None
    return NewRecords(records, next_change_at, unrecorded_from)


def label_at(records: Iterable[LabelRecord], moment: datetime) -> Label:
    """Find the label of a history at a moment."""
    newest = None
    for record in records:
        if record.known_at <= moment and (newest is None or record.seq > newest.seq):
            newest = record
    return newest.label if newest else PENDING


def news_of(events: Collection[Feedback]) -> list[datetime]:
    """List the moments at which feedback changed what was known: each receipt, and each end of a match."""
    news = [event.received_at for event in events]
    for event in events:
        if event.given_until:
            news += [moment for moment in event.given_until.values() if moment != FOR_EVER]
    return news


def _resolutions(
    prediction: TimedPrediction,
    events: Sequence[Feedback],
    known_at: Iterable[datetime],
    rules: Rules,
    span: tuple[datetime, datetime],
) -> Iterator[tuple[datetime, Resolution]]:
    """Resolve a label at every moment of a span at which it or the existing history can change.

    Between two receipts only the clock changes a label, and each resolution has the moment at which it next does.
    """
    since, until = span
    news = {moment for moment in (*news_of(events), *known_at) if since < moment <= until}
    waiting = sorted(news, reverse=True)
    moment: datetime | None = since
    while moment is not None:
        found = resolution(prediction, events, rules, moment)
        yield moment, found
        moment = waiting[-1] if waiting else None
        change = found.next_change_at
        if change is not None and change <= until and (moment is None or change < moment):
            moment = change
        elif waiting:
            waiting.pop()
