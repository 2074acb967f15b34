"""A small run of ``make account``: a flood, an import, an erasure and a relabelling with room for ten functions."""

from bench.account.__main__ import QUICK, QUICK_PARTS, is_as_it_must_be, measure


def test_nothing_is_lost_where_ten_functions_are_all_there_is_room_for() -> None:
    figures = measure(QUICK, QUICK_PARTS)
    assert is_as_it_must_be(figures), (figures["unexplained"], figures["dead_letters_by_queue"])
