"""The benchmark in small: what fails in service goes, what is good stays, and the bets keep their promise."""

from bench.rollback import FLIPPED, _after_flip, _ever_beyond_doubt, _probations, _rollouts
from bench.rollback_records import OLD_ACCURACY
from hindsight.registry.pointer import RolloutMode


def test_a_version_whose_concept_flips_is_taken_back_within_four_hundred_labels() -> None:
    for share in FLIPPED:
        found = _probations(_after_flip(share), 12)
        assert found.labels_median is not None
        assert found.labels_median <= 400


def test_a_version_as_good_as_the_one_before_it_stays() -> None:
    assert _probations(OLD_ACCURACY, 20).kept >= 0.95


def test_a_rollout_ten_points_worse_goes_and_one_that_is_better_takes_over() -> None:
    for mode in RolloutMode:
        assert _rollouts(mode, 0.10, 8).aborted >= 0.75
        assert _rollouts(mode, -0.03, 8).promoted >= 0.75


def test_an_equal_canary_is_called_worse_in_a_life_of_labels_as_seldom_as_stated() -> None:
    assert _ever_beyond_doubt() <= 0.05
