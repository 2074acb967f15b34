import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from hindsight.datasets.split import split_moments

Pairs = npt.NDArray[np.int64]

# When each prediction was made, in order, and when its outcome is due.
ROWS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10)), min_size=1, max_size=60).map(
    lambda pairs: np.array(sorted((at, at + delay) for at, delay in pairs)).T
)


@given(ROWS, st.floats(0.01, 0.99))
def test_nothing_trained_on_was_unknown_when_the_holdout_began(rows: Pairs, share: float) -> None:
    occurred, due = rows
    train, first = split_moments(occurred, due, share)
    assert (due[train] <= occurred[first]).all()
    assert (occurred[:first] < occurred[first]).all()
    assert set(train.tolist()) <= set(range(first))
    left_out = np.setdiff1d(np.arange(first), train)
    assert (due[left_out] > occurred[first]).all()


@given(ROWS, st.floats(0.01, 0.99))
def test_rows_of_one_moment_stay_together_and_the_holdout_is_the_newest_share(rows: Pairs, share: float) -> None:
    occurred, due = rows
    _, first = split_moments(occurred, due, share)
    assert len(occurred) - first >= len(occurred) * share
    assert not np.isin(occurred[:first], occurred[first:]).any()


def test_no_rows_split_into_none() -> None:
    train, first = split_moments(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), 0.2)
    assert (len(train), first) == (0, 0)
