from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.core.errors import UnreadableObject
from hindsight.profiles.categories import CategorySketch
from hindsight.profiles.numbers import FEATURE_K, SCORE_K, NumberSketch

finite = st.floats(allow_nan=False, allow_infinity=False)
few_numbers = st.lists(finite, max_size=30).map(np.array)
some_counts = st.dictionaries(st.text(), st.integers(1, 10**9), max_size=20)


@given(few_numbers)
def test_few_numbers_are_kept_as_they_are(values: np.ndarray) -> None:
    distribution = NumberSketch.of(values).distribution()

    expanded = np.repeat(distribution.values, distribution.weights.astype(int))
    assert expanded.tolist() == sorted(values.tolist())
    assert distribution.rank_error == 0.0


@given(few_numbers, few_numbers, few_numbers)
def test_merging_is_associative_and_commutative_while_nothing_is_thinned(
    first: np.ndarray, second: np.ndarray, third: np.ndarray
) -> None:
    a, b, c = (NumberSketch.of(values) for values in (first, second, third))
    merge = NumberSketch.merged

    merged = [merge([merge([a, b]), c]), merge([a, merge([b, c])]), merge([merge([c, a]), b]), merge([a, b, c])]

    points = [(found.distribution().values.tolist(), found.distribution().weights.tolist()) for found in merged]
    assert all(point == points[0] for point in points)
    assert a.rows == len(first)  # merging changed no one


@pytest.mark.parametrize("k", [FEATURE_K, SCORE_K])
def test_merged_sketches_know_every_rank_within_their_error(k: int) -> None:
    values = np.random.default_rng(1).lognormal(size=200_000)
    merged = NumberSketch.merged([NumberSketch.of(part, k) for part in np.array_split(values, 168)])
    distribution = merged.distribution()

    asked = np.quantile(values, np.linspace(0.01, 0.99, 99))
    off = np.abs(distribution.share_at_or_below(asked) - np.linspace(0.01, 0.99, 99))

    assert 0 < distribution.rank_error < 0.014
    assert off.max() < 2 * distribution.rank_error  # the error is that of 99 looks out of 100
    assert (merged.rows, distribution.rows) == (len(values), len(values))
    assert (distribution.weights > 0).all()
    assert (merged.minimum, merged.maximum) == (values.min(), values.max())


def test_numbers_may_be_read_only_strided_or_of_a_smaller_type() -> None:
    fixed = np.array([3.0, 1.0])
    fixed.flags.writeable = False

    for values in (fixed, np.array([3.0, 9.0, 1.0])[::2], np.array([3, 1], dtype=np.float32)):
        assert NumberSketch.of(values).distribution().values.tolist() == [1.0, 3.0]


def test_sketch_of_no_numbers_is_empty() -> None:
    nothing = NumberSketch.of(np.array([]))

    assert (nothing.rows, nothing.minimum, nothing.maximum) == (0, None, None)
    assert len(nothing.distribution().values) == 0
    assert NumberSketch.from_bytes(nothing.to_bytes()).rows == 0


@given(some_counts, some_counts)
def test_few_categories_are_counted_exactly(first: dict[str, int], second: dict[str, int]) -> None:
    merged = CategorySketch.merged([CategorySketch.of(first), CategorySketch.of(second)])

    assert merged.counts() == dict(Counter(first) + Counter(second))
    assert (merged.error, merged.other) == (0.0, 0.0)


def test_counts_of_very_many_categories_are_too_low_by_at_most_the_error() -> None:
    rng = np.random.default_rng(1)
    drawn = Counter(f"id-{number}" for number in rng.zipf(1.3, 200_000))
    parts = [dict(list(drawn.items())[part::10]) for part in range(10)]
    sketch = CategorySketch.merged([CategorySketch.of(part) for part in parts])
    counts = sketch.counts()

    assert len(counts) <= 768
    assert 0 < sketch.error <= drawn.total() / 769
    assert all(0 <= count - counts.get(text, 0) <= sketch.error for text, count in drawn.items())
    assert sum(counts.values()) + sketch.other == sketch.rows == drawn.total()


@pytest.mark.parametrize("text", ["", "\0", "ü" * 300, "\ud800"])
def test_any_text_can_be_counted(text: str) -> None:
    sketch = CategorySketch.of({text: 2})

    assert list(sketch.counts().values()) == [2.0]
    assert all(kept.encode() is not None for kept in sketch.counts())
    assert all(len(kept) <= 256 for kept in sketch.counts())


def test_distinct_categories_of_single_rows_are_counted_as_other() -> None:
    ids = [CategorySketch.of({f"id-{hour}-{number}": 1 for number in range(769)}) for hour in range(5)]
    sketch = CategorySketch.merged(ids)

    assert (sketch.counts(), sketch.other, sketch.rows, sketch.error) == ({}, 5 * 769, 5 * 769, 5)


@pytest.mark.parametrize("content", [b"", b"xx", b"\0" * 100])
def test_damaged_sketch_is_unreadable(content: bytes) -> None:
    with pytest.raises(UnreadableObject):
        NumberSketch.from_bytes(content)
