import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hindsight.profiles.sample import RowSample, SampledRow, hash_ids


def sample(hashes: list[int], capacity: int = 5) -> RowSample:
    return RowSample.of([SampledRow.of(value, {"prediction_id": str(value)}) for value in hashes], capacity=capacity)


hash_lists = st.lists(st.integers(0, 200), max_size=40, unique=True)


@given(hash_lists, hash_lists, hash_lists)
def test_merging_is_associative_and_commutative(first: list[int], second: list[int], third: list[int]) -> None:
    a, b, c = (sample(hashes) for hashes in (first, second, third))
    merge = RowSample.merged

    merged = [merge([merge([a, b]), c]), merge([a, merge([b, c])]), merge([merge([c, a]), b]), merge([b, c, a])]

    assert all(found == merged[0] for found in merged)


@given(hash_lists, hash_lists)
def test_merging_samples_is_sampling_the_rows_of_both(first: list[int], second: list[int]) -> None:
    merged, whole = RowSample.merged([sample(first), sample(second)]), sample(sorted({*first, *second}))

    assert merged == whole


def test_merged_sample_has_its_rows_in_proportion_though_the_busy_hour_is_sampled_more_thinly() -> None:
    rng = np.random.default_rng(1)
    busy = RowSample.of((SampledRow(int(h), b"busy") for h in rng.integers(0, 2**63, 40_000)), capacity=100)
    quiet = RowSample.of((SampledRow(int(h), b"quiet") for h in rng.integers(0, 2**63, 4_000)), capacity=100)

    merged = RowSample.merged([busy, quiet], capacity=2_000)

    assert sum(row.packed == b"busy" for row in merged.sampled) == 100
    assert 1 <= sum(row.packed == b"quiet" for row in merged.sampled) <= 25  # 10 are expected


def test_rows_that_are_very_large_leave_room_for_fewer() -> None:
    large = {"prediction_id": "x" * 50_000}
    rows = [SampledRow.of(hash_, large) for hash_ in range(100)]

    assert len(RowSample.of(rows, capacity=100).sampled) == 100 * 20 * 1024 // 50_012


def test_hashes_of_ids_that_look_alike_are_spread_evenly() -> None:
    hashes = hash_ids([f"prediction-{number:08d}" for number in range(100_000)])
    chosen = np.flatnonzero(hashes < 2**64 // 10)

    assert abs(len(chosen) - 10_000) < 500
    counts = np.bincount(chosen % 24, minlength=24)  # of a pattern as long as a day none of it is preferred
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 50


def test_hashes_are_the_same_everywhere() -> None:
    assert hash_ids(["p-1", "ü"]).tolist() == [2358816448174020891, 7638936106063782968]
