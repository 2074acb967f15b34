from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from hindsight.datasets.split import split_by_time


@dataclass(frozen=True)
class Row:
    occurred_at: str
    outcome_due_at: str


ROWS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10)), min_size=1, max_size=60).map(
    lambda pairs: sorted(
        (Row(f"{at:04d}", f"{at + delay:04d}") for at, delay in pairs), key=lambda row: row.occurred_at
    )
)


@given(ROWS, st.floats(0.01, 0.99))
def test_nothing_trained_on_was_unknown_when_the_holdout_began(rows: list[Row], share: float) -> None:
    split = split_by_time(rows, share)
    assert all(rows[position].outcome_due_at <= split.boundary for position in split.train)
    assert all(rows[position].occurred_at < split.boundary for position in split.train)
    assert all(rows[position].occurred_at >= split.boundary for position in split.holdout)


@given(ROWS, st.floats(0.01, 0.99))
def test_rows_of_one_moment_stay_together_and_the_holdout_is_the_newest_share(rows: list[Row], share: float) -> None:
    split = split_by_time(rows, share)
    assert split.holdout == list(range(len(rows)))[-len(split.holdout) :]
    assert len(split.holdout) >= len(rows) * share
    left_out = {row.occurred_at for row in rows[: len(rows) - len(split.holdout)]}
    assert left_out.isdisjoint(rows[position].occurred_at for position in split.holdout)


def test_no_rows_split_into_none() -> None:
    split = split_by_time([], 0.2)
    assert (split.train, split.holdout) == ([], [])
