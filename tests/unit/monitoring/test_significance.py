import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from hindsight.monitoring.drift.significance import Comparisons, chi_squared, greatest_gap, kolmogorov_smirnov
from hindsight.monitoring.results.check import Verdict
from hindsight.profiles.distribution import Distribution
from hindsight.profiles.numbers import NumberSketch

NUMBERS = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40)
Floats = np.ndarray


def exact(values: object) -> Distribution:
    return Distribution.exact(np.asarray(values, dtype=np.float64))


def sketched(values: Floats, parts: int = 20) -> Distribution:
    return NumberSketch.merged(NumberSketch.of(part) for part in np.array_split(values, parts)).distribution()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # scipy dividing by its own rounding
@given(NUMBERS, NUMBERS)
def test_kolmogorov_smirnov_statistic_is_scipys(first: list[float], second: list[float]) -> None:
    found = kolmogorov_smirnov(exact(first), exact(second))
    assert found.statistic == pytest.approx(stats.ks_2samp(first, second, method="asymp").statistic)
    assert 0 <= found.p_value <= 1


def test_kolmogorov_smirnov_p_value_is_close_to_the_exact_one_and_no_smaller_in_the_tail() -> None:
    rng = np.random.default_rng(1)
    first = rng.normal(size=800)
    for shift in (0.08, 0.2, 0.4, 0.5):
        second = rng.normal(shift, size=600)
        ours, theirs = kolmogorov_smirnov(exact(first), exact(second)), stats.ks_2samp(first, second, method="exact")
        assert ours.p_value == pytest.approx(theirs.pvalue, rel=0.2) or ours.p_value > theirs.pvalue


@pytest.mark.parametrize(("first", "second"), [([], []), ([], [1.0]), ([1.0], [])])
def test_without_rows_there_is_no_evidence(first: list[float], second: list[float]) -> None:
    found = kolmogorov_smirnov(exact(first), exact(second))
    assert (found.statistic, found.p_value) == (0, 1)


def test_sketch_errors_are_not_significant_and_a_small_shift_is() -> None:
    rng = np.random.default_rng(2)
    reference = sketched(rng.normal(size=100_000))
    same = [kolmogorov_smirnov(reference, sketched(rng.normal(size=100_000))).p_value for _ in range(30)]
    assert min(same) > 1e-4
    assert kolmogorov_smirnov(reference, sketched(rng.normal(0.2, size=100_000))).p_value < 1e-9


def test_statistic_on_sketches_is_within_their_stated_error() -> None:
    rng = np.random.default_rng(3)
    for shift in (0.0, 0.1, 1.0):
        first, second = rng.normal(size=20_000), rng.normal(shift, size=10_000)
        reference, current = sketched(first), sketched(second)
        off = abs(float(greatest_gap(reference, current)) - stats.ks_2samp(first, second, method="asymp").statistic)
        assert 0 < off <= reference.rank_error + current.rank_error


@given(NUMBERS, NUMBERS)
def test_greatest_gap_is_symmetric_and_zero_between_equals(first: list[float], second: list[float]) -> None:
    assert greatest_gap(exact(first), exact(second)) == greatest_gap(exact(second), exact(first))
    assert greatest_gap(exact(first), exact(first)) == 0


@given(NUMBERS, NUMBERS, st.integers(0, 40))
def test_result_does_not_depend_on_how_sketches_were_merged(first: list[float], second: list[float], cut: int) -> None:
    merged = NumberSketch.merged(
        [NumberSketch.of(np.array(part)) for part in (second[:cut], second[cut:])]
    ).distribution()
    assert greatest_gap(exact(first), merged) == pytest.approx(float(greatest_gap(exact(first), exact(second))))


def tables_of(size: int) -> st.SearchStrategy[tuple[list[int], list[int]]]:
    return st.tuples(*(st.lists(st.integers(0, 90), min_size=size, max_size=size) for _ in range(2)))


TABLES = st.integers(2, 6).flatmap(tables_of)


@given(TABLES)
def test_chi_squared_is_scipys(table: tuple[list[int], list[int]]) -> None:
    held = np.array(table)[:, np.array(table).sum(axis=0) > 0]
    found = chi_squared(*table)
    if held.shape[1] < 2 or not held.sum(axis=1).all():
        assert (found.statistic, found.p_value) == (0, 1)
    else:
        expected = stats.chi2_contingency(held, correction=False)
        assert found.statistic == pytest.approx(expected.statistic)
        assert found.p_value >= expected.pvalue * (1 - 1e-9)


def test_chi_squared_p_value_is_close_to_scipys_where_no_bin_is_rare() -> None:
    rng = np.random.default_rng(4)
    first, second = (rng.multinomial(rows, [0.2, 0.3, 0.5]) for rows in (50_000, 30_000))
    expected = stats.chi2_contingency([first, second], correction=False).pvalue
    assert chi_squared(first, second).p_value == pytest.approx(expected, rel=0.02)


@given(TABLES)
def test_chi_squared_is_symmetric_and_zero_between_equals(table: tuple[list[int], list[int]]) -> None:
    there, back = chi_squared(*table), chi_squared(*reversed(table))
    assert there.statistic == pytest.approx(back.statistic)
    assert there.p_value == pytest.approx(back.p_value)
    same = chi_squared(table[0], table[0])
    assert (same.statistic, same.p_value) == (pytest.approx(0, abs=1e-9), pytest.approx(1))


@given(st.lists(tables_of(3), min_size=1, max_size=4))
def test_vectorised_tables_equal_single_ones(tables: list[tuple[list[int], list[int]]]) -> None:
    found = chi_squared([table[0] for table in tables], [table[1] for table in tables])
    assert found.p_value.tolist() == [float(chi_squared(*table).p_value) for table in tables]


@given(TABLES, st.floats(0, 0.5))
def test_slack_only_takes_evidence_away(table: tuple[list[int], list[int]], slack: float) -> None:
    assert chi_squared(*table, slack=slack).p_value >= chi_squared(*table).p_value
    assert chi_squared(*table, slack=1.0).p_value == pytest.approx(1)


@pytest.mark.parametrize(("window", "reference"), [(500, 2_000), (500, 100_000), (50, 50), (100_000, 2_000)])
@pytest.mark.parametrize("rare", [2, 5, 10, 20, 50])
def test_p_values_far_in_the_tail_are_conservative(window: int, reference: int, rare: int) -> None:
    """The exact (hypergeometric) chance of a p-value as small as 1e-10 is hardly larger than it says; Pearson's is."""
    counts = np.arange(max(0, rare - reference), min(rare, window) + 1, dtype=np.float64)
    chance = stats.hypergeom.pmf(counts, window + reference, rare, window)
    tables = [np.column_stack([held, rows - held]) for held, rows in ((rare - counts, reference), (counts, window))]
    p_values = chi_squared(*tables).p_value
    for level in (1e-2, 1e-4, 1e-6, 1e-8, 1e-10):
        assert chance[p_values <= level].sum() <= 1.5 * level


def test_plain_pearson_p_values_are_not_conservative_in_the_tail() -> None:
    counts = np.arange(0, 21)
    chance = stats.hypergeom.pmf(counts, 100_500, 20, 500)
    p_values = [
        stats.chi2_contingency([[20 - held, 99_980 + held], [held, 500 - held]], correction=False).pvalue
        for held in counts.tolist()
    ]
    assert chance[np.array(p_values) <= 1e-8].sum() > 1e-5


TESTED = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(TESTED, st.floats(0, 1), st.floats(0.001, 0.5))
def test_corrected_p_value_is_significant_where_the_step_up_procedure_rejects(
    tested: list[float], p_value: float, level: float
) -> None:
    ranked = sorted(tested)
    steps = [level * rank / len(ranked) for rank in range(1, len(ranked) + 1)]
    rejected = max((step for value, step in zip(ranked, steps, strict=True) if value <= step), default=-1.0)
    corrected = Comparisons(tested, level).corrected(p_value)
    assume(abs(corrected - level) > 1e-12)  # but for rounding
    assert (corrected <= level) is (p_value <= rejected)


def test_corrected_p_values_are_scipys() -> None:
    p_values = np.random.default_rng(3).uniform(size=50) ** 3
    corrected = [Comparisons(p_values.tolist(), 0.05).corrected(p_value) for p_value in p_values]
    assert corrected == pytest.approx(stats.false_discovery_control(p_values))


def test_nothing_is_significant_where_nothing_is_tested() -> None:
    assert Comparisons([], 0.05).corrected(0.0) == 1.0


@pytest.mark.parametrize(
    ("corrected", "is_large", "verdict"),
    [
        (0.05, True, Verdict.DRIFT),
        (0.06, True, Verdict.SUSPECT),
        (0.05, False, Verdict.SUSPECT),
        (0.06, False, Verdict.OK),
    ],
)
def test_large_and_significant_is_drift_and_one_of_both_suspect(
    corrected: float, is_large: bool, verdict: Verdict
) -> None:
    assert Comparisons([], 0.05).verdict(corrected, is_large=is_large) is verdict
