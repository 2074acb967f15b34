"""The predictions of one model a second that the checks of labels can follow: they read a window's label records.

Nothing waits for a check: where one cannot follow, predictions are answered and labels are made all the same.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from hindsight.config.monitoring import Monitoring
from hindsight.label_records.collector import RecordCollector
from hindsight.label_records.rows import ENTITY
from hindsight.label_records.window import KEPT, MAX_BYTES

# The functions' timeout, less what they reserve for the checks themselves; their memory has more than one processor.
READ_SECONDS = 600 - 120
# An outcome that comes before its window closes: a provisional record, and a final one.
RECORDS_A_PREDICTION = 2
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LabelCheck:
    """One check: up to how many predictions a second, all day, it holds and reads all of what it looks at.

    ``held`` is without sampling, ``read`` the whole window, ``day`` its newest day alone: beyond, it has no labels.
    """

    name: str
    window: str
    held: float
    read: float
    day: float


def checks_of(speeds: Mapping[str, float]) -> list[LabelCheck]:
    """Build the checks from what reading a record takes, and passing over one that is not of the sample."""
    window: timedelta = Monitoring.model_fields["window"].default
    read, days = speeds["read label records"], f"{window.days} days"
    return [
        _check(
            "monitor", f"{days} (`monitoring.window`)", window, _Cost(KEPT, read, speeds["pass over label records"])
        ),
        _check(
            "evaluation of a canary",
            f"since it began, here {days}",
            window,
            _Cost([*KEPT, ENTITY], read, speeds["pass over label records by entity"]),
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Cost:
    """The bytes a check keeps of a record, and the microseconds to read one and to pass over one."""

    names: Sequence[str]
    read: float
    pass_over: float


def _check(name: str, described: str, window: timedelta, cost: _Cost) -> LabelCheck:
    capacity = MAX_BYTES / RecordCollector(cost.names, ()).record_bytes
    records = readable(capacity, cost.read, cost.pass_over)

    def a_second(count: float, span: timedelta) -> float:
        return count / RECORDS_A_PREDICTION / span.total_seconds()

    return LabelCheck(name, described, a_second(capacity, window), a_second(records, window), a_second(records, DAY))


def readable(capacity: float, read: float, pass_over: float, seconds: float = READ_SECONDS) -> float:
    """Compute how many records are read in a time, by microseconds a record.

    All are decoded until there is no room. Then the share halves: of the next as many half are decoded, and so on; the
    others are passed over.

    >>> round(readable(capacity=1e6, read=20.0, pass_over=5.0, seconds=10))
    500000
    >>> round(readable(capacity=1e6, read=20.0, pass_over=5.0, seconds=32.5))
    2000000
    """

    def takes(records: float) -> float:
        decoded = min(records, capacity * (1 + math.log2(max(1.0, records / capacity)) / 2))
        return (decoded * read + (records - decoded) * pass_over) / 1e6

    return _largest(takes, seconds)


def _largest(takes: Callable[[float], float], seconds: float) -> float:
    least, most = 0.0, 1e12
    for _ in range(100):
        middle = (least + most) / 2
        least, most = (middle, most) if takes(middle) <= seconds else (least, middle)
    return least
