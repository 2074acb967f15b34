from bench.estimate_lives import measure_lives


def test_estimate_on_the_line_is_not_low_and_one_far_below_it_is() -> None:
    assert measure_lives(0.0, lives=3, days=3) == 0.0
    assert measure_lives(0.1, lives=3, days=3) == 1.0
