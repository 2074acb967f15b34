"""Kappa against published values and scikit-learn."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from hindsight.core.codec import to_plain
from hindsight.review.tasks.agreement import MAX_PAIRS, agreement, cohen_kappa, fleiss_kappa

PAIRS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=60)

# Fleiss (1971), table 1: thirty patients, six psychiatrists each, five diagnoses; kappa is 0.430.
DIAGNOSES = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""


def rows(table: str) -> list[list[str]]:
    counts = table.split()
    return [[name for name, number in zip("abcde", row, strict=True) for _ in range(int(number))] for row in counts]


def test_fleiss_kappa_of_his_own_example() -> None:
    found = fleiss_kappa(rows(DIAGNOSES))
    assert found is not None
    assert round(found, 3) == 0.430


@given(PAIRS)
def test_cohen_kappa_is_scikit_learn_s(pairs: list[tuple[str, str]]) -> None:
    first, second = zip(*pairs, strict=True)
    found = cohen_kappa(first, second)
    if found is None:
        assert len(set(first + second)) == 1
    else:
        assert math.isclose(found, cohen_kappa_score(first, second), abs_tol=1e-12)


@given(PAIRS)
def test_kappas_do_not_depend_on_the_order_of_reviewers_or_tasks(pairs: list[tuple[str, str]]) -> None:
    first, second = zip(*pairs, strict=True)
    assert cohen_kappa(first, second) == cohen_kappa(second, first)
    found, turned = fleiss_kappa(pairs), fleiss_kappa([pair[::-1] for pair in pairs[::-1]])
    assert (found is None) == (turned is None)
    if found is not None and turned is not None:
        assert math.isclose(found, turned, abs_tol=1e-12)


def test_full_agreement_over_several_classes_is_one() -> None:
    assert cohen_kappa("aabb", "aabb") == 1
    assert fleiss_kappa(["aaa", "bbbb", "aa"]) == 1


@pytest.mark.parametrize("tasks", [[], [["a"]], [["a", "a"], ["a", "a", "a"]]])
def test_fleiss_kappa_is_undefined_without_pairs_or_with_one_class_only(tasks: list[Sequence[str]]) -> None:
    assert fleiss_kappa(tasks) is None


def test_cohen_kappa_is_undefined_without_tasks_or_with_one_class_only() -> None:
    assert cohen_kappa([], []) is None
    assert cohen_kappa("aa", "aa") is None
    assert cohen_kappa("aa", "ab") == 0


def test_different_lengths_are_an_error() -> None:
    with pytest.raises(ValueError, match="same tasks"):
        cohen_kappa("a", "ab")


def test_ratings_of_unequal_number_weigh_each_task_the_same() -> None:
    # Observed: (1 + 0 + 1/3) / 3; classes: a (1 + 1/2 + 2/3) / 3, b (0 + 1/2 + 1/3) / 3.
    observed, a = (1 + 0 + 1 / 3) / 3, (1 + 1 / 2 + 2 / 3) / 3
    expected = a**2 + (1 - a) ** 2
    found = fleiss_kappa(["aaaa", "ab", "aab", "b"])
    assert found is not None
    assert math.isclose(found, (observed - expected) / (1 - expected))


def test_agreement_is_over_tasks_several_rated_by_pair_most_common_first() -> None:
    found = agreement(
        [
            {"ann": 1, "bob": 1, "cid": 0},
            {"ann": 0, "bob": 0},
            {"ann": 1, "bob": 0},
            {"ann": 1},
        ]
    )
    assert found.tasks == 3
    assert found.observed == pytest.approx((1 / 3 + 1 + 0) / 3)
    assert [(pair.reviewers, pair.tasks) for pair in found.pairs] == [
        (("ann", "bob"), 3),
        (("ann", "cid"), 1),
        (("bob", "cid"), 1),
    ]
    assert found.pairs[0].kappa == pytest.approx(cohen_kappa_score([1, 0, 1], [1, 0, 0]))


def test_labels_are_compared_by_their_meaning() -> None:
    assert agreement([{"ann": 1, "bob": 1.0}, {"ann": "a", "bob": "a"}]).observed == 1


def test_agreement_without_ratings_is_empty() -> None:
    assert to_plain(agreement([])) == {"tasks": 0, "observed": None, "fleiss_kappa": None, "pairs": []}


def test_a_crowd_s_pairs_are_cut_to_the_most_frequent() -> None:
    density = {f"r-{number}": number % 2 for number in range(20)}
    assert len(agreement([density, density]).pairs) == MAX_PAIRS
