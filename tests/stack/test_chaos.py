"""One seed of ``make chaos``, small: faults, outages, kills, repeats and poison, and nothing lost or doubled."""

from bench.chaos.__main__ import is_as_it_must_be, measure


def test_nothing_is_lost_doubled_or_acknowledged_but_missing_on_a_bad_day() -> None:
    figures = measure(range(1, 2), events=600)
    assert is_as_it_must_be(figures), figures["unexplained"]
    assert figures["faulted_share"] >= 0.05
    assert figures["labelled"] > 100
    assert figures["quarantined"] > 10
