import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.datasets.dataset import Maturity
from hindsight.datasets.maturity import age_of_maturity

AS_OF = 1_000


@given(st.integers(0, 400), st.integers(1, 200), st.floats(0.01, 0.99))
def test_age_of_equal_delays_is_that_delay_and_leaves_no_row_out(delay: int, rows: int, share: float) -> None:
    made = np.linspace(0, AS_OF - delay, rows).astype(np.int64)
    found = age_of_maturity(made, made + delay, AS_OF, share)
    assert found == Maturity(age=delay, history=AS_OF - int(made[0]))
    assert (made <= AS_OF - found.age).all()


@pytest.mark.parametrize("share", [0.5, 0.8, 0.9])
def test_age_is_the_quantile_of_all_delays_although_long_ones_are_seen_too_rarely(share: float) -> None:
    rng = np.random.default_rng(7)
    made = rng.integers(0, AS_OF, 20_000)
    delays = rng.gamma(2.0, 120.0, 20_000).astype(np.int64)
    seen = made + delays <= AS_OF
    truth = float(np.quantile(delays[delays <= AS_OF], share))
    naive = float(np.quantile(delays[seen], share))

    found = age_of_maturity(made[seen], (made + delays)[seen], AS_OF, share).age

    assert found == pytest.approx(truth, rel=0.05)
    assert abs(naive - truth) > 0.1 * truth


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=80), st.floats(0.01, 0.99))
def test_age_is_a_delay_that_was_seen(rows: list[tuple[int, int]], share: float) -> None:
    made = np.array([at for at, _ in rows], dtype=np.int64)
    delays = np.array([delay for _, delay in rows], dtype=np.int64)
    found = age_of_maturity(made, made + delays, 100, share)
    assert found.age in {0, *delays.tolist()}
    assert found.age <= found.history


def test_rows_of_shorter_windows_need_not_become_as_old_as_those_of_the_longer_windows_before() -> None:
    made = np.concatenate([np.arange(0, 700), np.arange(800, AS_OF - 10)])
    due = made + np.where(made < 800, 300, 10)
    seen = due <= AS_OF
    assert age_of_maturity(made[seen], due[seen], AS_OF, 0.8).age == 10


def test_single_old_row_does_not_decide_how_long_outcomes_take() -> None:
    made = np.concatenate([[0], np.arange(500, AS_OF - 10)])
    due = made + np.concatenate([[990], np.full(490, 10)])
    assert age_of_maturity(made, due, AS_OF, 0.8).age == 10
