"""Batches of a relabelling's files for its workers."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.labels.relabelling.batches import (
    MAX_BATCHES,
    MAX_FILES_PER_BATCH,
    MAX_WORKERS,
    files_per_batch,
    worker_count,
)


@given(covered=st.integers(1, 3_000), workers=st.integers(1, MAX_WORKERS))
def test_every_worker_has_a_batch_as_long_as_there_are_files_enough(covered: int, workers: int) -> None:
    batches = ceil(covered / files_per_batch(covered, covered, workers))
    assert batches >= min(covered, workers)


@given(listed=st.integers(0, 10**7), share=st.floats(0, 1), workers=st.integers(1, MAX_WORKERS))
def test_days_asked_for_never_make_more_batches_than_a_listing_is_worth(
    listed: int, share: float, workers: int
) -> None:
    size = files_per_batch(listed, int(listed * share), workers)
    assert 1 <= size <= MAX_FILES_PER_BATCH
    assert ceil(listed / size) <= max(MAX_BATCHES, ceil(listed / MAX_FILES_PER_BATCH))


def test_few_large_files_are_handed_out_one_by_one() -> None:
    assert files_per_batch(listed=8, covered=8, workers=2) == 1


def test_many_small_files_share_a_batch() -> None:
    assert files_per_batch(listed=20_000, covered=20_000, workers=2) == MAX_FILES_PER_BATCH


def test_one_day_of_a_long_history_is_spread_over_the_workers() -> None:
    covered = 24
    size = files_per_batch(listed=900, covered=covered, workers=2)
    assert ceil(covered / size) >= 8


@pytest.mark.parametrize(("concurrency", "workers"), [(2, 2), (10, 10), (40, 40), (41, 40), (1000, 40)])
def test_workers_are_as_many_as_consumers_and_forty_at_most(concurrency: int, workers: int) -> None:
    assert worker_count(concurrency) == workers
