import random

import pytest

from hindsight.core.errors import NotFound
from hindsight.core.recent_reads import RecentReads

# What one item of a DynamoDB table can be read consistently in a second, of at most 4 KB.
MOST_READS_OF_AN_ITEM = 3000


class Source:
    """A value that changes, and how often it was read."""

    def __init__(self) -> None:
        self.now, self.value, self.reads = 0.0, "first", 0

    def read(self, key: str) -> str:
        self.reads += 1
        if key == "none":
            raise NotFound("there is none")
        return self.value

    def clock(self) -> float:
        return self.now


@pytest.fixture
def source() -> Source:
    return Source()


def test_rare_caller_reads_every_time(source: Source) -> None:
    recent = RecentReads(source.read, source.clock)
    for second in range(100):
        source.now, source.value = float(second), f"value {second}"
        assert recent("model") == source.value


def test_frequent_caller_never_uses_a_value_older_than_half_a_second(source: Source) -> None:
    recent, dice = RecentReads(source.read, source.clock), random.Random(7)
    changes = [(0.0, source.value)]
    for number in range(20_000):
        source.now += dice.expovariate(300)
        if dice.random() < 0.01:
            source.value = f"value {number}"
            changes.append((source.now, source.value))
        # The value of half a second ago, and all that came since.
        ends = [at for at, _ in changes[1:]] + [source.now]
        fresh = {value for (_, value), end in zip(changes, ends, strict=True) if end >= source.now - 0.5}
        assert recent("model") in fresh
        changes = changes[-200:]
    assert source.reads < source.now * 2 + 11


def test_five_thousand_calls_a_second_stay_below_the_limit_of_one_item() -> None:
    processes, seconds, calls = 300, 10, 5000
    source = Source()
    recent = [RecentReads(source.read, source.clock) for _ in range(processes)]
    for number in range(calls * seconds):
        source.now = number / calls
        recent[number % processes]("model")
    # The pointer, and the configuration that feedback reads too, may lie in one partition.
    assert 3 * source.reads / seconds < MOST_READS_OF_AN_ITEM


def test_missing_value_is_read_each_time(source: Source) -> None:
    recent = RecentReads(source.read, source.clock, burst=1)
    for _ in range(5):
        with pytest.raises(NotFound):
            recent("none")
    assert source.reads == 5


def test_a_clock_that_is_set_back_keeps_nothing_longer(source: Source) -> None:
    recent = RecentReads(source.read, source.clock, burst=1)
    source.now = 1000.0
    recent("model")
    recent("model")
    source.now, source.value = 10.0, "second"
    assert recent("model") == "second"
