"""Labels as they come to be known, and as a stream delivers them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st

from hindsight.core.times import format_time
from hindsight.labels.archiving.new_label_counts import NewLabel
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.lake.object_store import LABELS, day_prefix
from hindsight.testing.aws.lake import InMemoryLake

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SPAN = 4 * 24 * 60
WINDOW = timedelta(days=30)
MANY = settings(max_examples=150, deadline=None)


@dataclass(frozen=True)
class LabelArrival:
    """A prediction's only value: when it came to be known, fell due, and reached the stream."""

    name: str
    known: datetime
    due: datetime
    arrived: datetime

    @property
    def hour(self) -> datetime:
        return self.arrived.replace(minute=0, second=0, microsecond=0)

    @property
    def label(self) -> NewLabel:
        return NewLabel("bike", self.name, self.arrived, max(self.known, self.due))


@st.composite
def label_arrivals(draw: st.DrawFn) -> list[LabelArrival]:
    minutes = st.tuples(st.integers(0, SPAN), st.integers(0, SPAN), st.integers(0, 24 * 60))
    found = draw(st.lists(minutes, max_size=25))
    whole = draw(st.booleans())
    fraction = timedelta(0) if whole else draw(st.sampled_from([timedelta(microseconds=1), timedelta(seconds=59.5)]))
    return [
        LabelArrival(
            name=f"p{number}",
            known=START + known * MINUTE + fraction,
            due=START + due * MINUTE + fraction,
            arrived=START + (known + lag) * MINUTE,
        )
        for number, (known, due, lag) in enumerate(found)
    ]


@st.composite
def deliveries(draw: st.DrawFn, changes: Sequence[LabelArrival]) -> list[list[LabelArrival]]:
    """Draw batches as streams deliver them: any cut, again in other cuts, several shards in any order."""
    rounds = draw(st.integers(1, 3))
    batches: list[list[LabelArrival]] = []
    for _ in range(rounds):
        order = draw(st.permutations(list(changes)))
        cuts = sorted({0, len(order), *draw(st.lists(st.integers(0, len(order)), max_size=5))})
        batches += [order[first:last] for first, last in pairwise(cuts)]
    return draw(st.permutations(batches))


def lake_of(changes: Sequence[LabelArrival]) -> InMemoryLake:
    lake = InMemoryLake()
    for number, found in enumerate(changes):
        day = max(found.known, found.due).date()
        times = {"known_at": format_time(found.known), "outcome_due_at": format_time(found.due)}
        row = {"prediction_id": found.name, "seq": 1, "value": 1, **times}
        lake.write_lines(f"{day_prefix(LABELS, 'bike', day)}{number}", [row])
    return lake


def note(counted: NewLabels, batches: Sequence[Sequence[LabelArrival]]) -> None:
    for batch in batches:
        counted.note(found.label for found in batch)


def everything(counted: NewLabels) -> int:
    return counted.count("bike", since=START - MINUTE, as_of=START + 2 * SPAN * MINUTE, window=WINDOW)


def edges(changes: Sequence[LabelArrival], *moments: datetime) -> int:
    """Count the labels that mature in the minute of a moment: counts by the minute may take them for either side."""
    return sum(max(found.known, found.due).replace(second=0, microsecond=0) in moments for found in changes)
