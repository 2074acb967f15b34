"""The agreement of reviewers beyond chance."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Any

from hindsight.config.labels import LabelValue, canonical_text

MAX_PAIRS = 20

Ratings = Mapping[str, LabelValue]


def cohen_kappa(first: Sequence[object], second: Sequence[object]) -> float | None:
    """Compute Cohen's kappa of two reviewers over the same tasks; 1 is full agreement, 0 that of chance.

    None without tasks, and where both gave one and the same class throughout: chance alone would do that.

    Parameters
    ----------
    first, second
        The class each of the two gave to each task, in the same order.

    References
    ----------
    J. Cohen (1960). A coefficient of agreement for nominal scales. Educational and Psychological Measurement 20(1),
    37–46.

    Examples
    --------
    Two readers of fifty proposals: 20 both accept, 15 both refuse, 5 only the first accepts, 10 only the second.

    >>> round(cohen_kappa("y" * 25 + "n" * 25, "y" * 20 + "n" * 5 + "y" * 10 + "n" * 15), 6)
    0.4
    >>> cohen_kappa("yy", "yy") is None
    True
    """
    if len(first) != len(second):
        raise ValueError("the two must have rated the same tasks")
    if not first:
        return None
    tasks = len(first)
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / tasks
    ones, others = Counter(first), Counter(second)
    expected = sum(count * others[name] for name, count in ones.items()) / tasks**2
    return _beyond_chance(observed, expected)


def fleiss_kappa(tasks: Iterable[Sequence[object]]) -> float | None:
    """Compute Fleiss' kappa over the classes that any reviewers gave to each task.

    Tasks may differ in who rated them and in how many did; those with fewer than two ratings are left
    out. Each task weighs the same. None without tasks, and where all ratings are of one class.

    References
    ----------
    J. L. Fleiss (1971). Measuring nominal scale agreement among many raters. Psychological Bulletin 76(5), 378–382.
    K. L. Gwet (2014). Handbook of inter-rater reliability, 4th edition: unequal numbers of ratings.

    Examples
    --------
    Fourteen reviewers put ten subjects into five classes:

    >>> counts = ["0000e", "02642", "00356", "03920", "22811", "77000", "32630", "25322", "65210", "02237"]
    >>> rows = [[name for name, digit in zip("abcde", row) for _ in range(int(digit, 16))] for row in counts]
    >>> round(fleiss_kappa(rows), 3)
    0.21
    """
    counts = [Counter(ratings) for ratings in tasks if len(ratings) > 1]
    if not counts:
        return None
    observed = fmean(_agreeing_pairs(count) for count in counts)
    names = {name for count in counts for name in count}
    shares = [fmean(count[name] / count.total() for count in counts) for name in names]
    return _beyond_chance(observed, sum(share**2 for share in shares))


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAgreement:
    """Cohen's kappa of two reviewers over the tasks that both have rated."""

    reviewers: tuple[str, str]
    tasks: int
    kappa: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The agreement of reviewers of the same tasks; ``pairs`` are those with the most tasks in common."""

    tasks: int
    observed: float | None
    fleiss_kappa: float | None
    pairs: tuple[PairAgreement, ...]


def agreement(tasks: Sequence[Ratings]) -> Agreement:
    """Compute the agreement over tasks that several people rated, each as labels by reviewer.

    >>> agreement([{"ann": 1, "bob": 1}, {"ann": 0, "bob": 0}, {"ann": 1, "bob": 0}]).observed
    0.6666666666666666
    """
    rated = [{who: canonical_text(label) for who, label in task.items()} for task in tasks if len(task) > 1]
    return Agreement(
        tasks=len(rated),
        observed=fmean(_agreeing_pairs(Counter(task.values())) for task in rated) if rated else None,
        fleiss_kappa=fleiss_kappa([list(task.values()) for task in rated]),
        pairs=tuple(_pairs(rated)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAgreement:
    """The agreement of one reviewer with the others who rated the same tasks."""

    tasks: int
    observed: float


def own_agreement(reviewer: str, tasks: Iterable[Ratings]) -> OwnAgreement | None:
    """Compute the mean share of the others who gave a reviewer's label, None where no task had others.

    >>> own_agreement("ann", [{"ann": 1, "bob": 1}, {"ann": 0, "bob": 1, "cy": 0}, {"bob": 1, "cy": 1}])
    OwnAgreement(tasks=2, observed=0.75)
    """
    shares = []
    for task in tasks:
        others = [canonical_text(label) for who, label in task.items() if who != reviewer]
        if reviewer in task and others:
            shares.append(fmean(label == canonical_text(task[reviewer]) for label in others))
    return OwnAgreement(tasks=len(shares), observed=fmean(shares)) if shares else None


def _pairs(tasks: Sequence[Mapping[str, str]]) -> list[PairAgreement]:
    common: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for task in tasks:
        for one, other in combinations(sorted(task), 2):
            common.setdefault((one, other), []).append((task[one], task[other]))
    most = sorted(common.items(), key=lambda entry: (-len(entry[1]), entry[0]))[:MAX_PAIRS]
    return [
        PairAgreement(
            reviewers=reviewers,
            tasks=len(given),
            kappa=cohen_kappa([one for one, _ in given], [other for _, other in given]),
        )
        for reviewers, given in most
    ]


def _agreeing_pairs(counts: Counter[Any]) -> float:
    """Compute the share of a task's pairs of ratings that agree."""
    ratings = counts.total()
    return sum(count * (count - 1) for count in counts.values()) / (ratings * (ratings - 1))


def _beyond_chance(observed: float, expected: float) -> float | None:
    return None if expected >= 1 else (observed - expected) / (1 - expected)
