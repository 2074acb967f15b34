"""The reckoning of a run in an account: it finds each lost, doubled or missing thing, and nothing else."""

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from bench.account import past
from bench.account.__main__ import BOUNDS, MEASURED, missed_figures
from bench.account.past import OTHER_THRESHOLD, THRESHOLD, VALUES, Past
from bench.account.phase import Phase
from local.client import StackClient

ROWS, DAYS = 100, 4


class Kept(Past):
    """A past that is kept as it should be, unless something is changed about it."""

    def __init__(self, threshold: int = THRESHOLD) -> None:
        super().__init__(cast("StackClient", None), ROWS, DAYS)
        names = [f"p{number:06d}" for number in range(self.predictions)]
        labelled = {names[number]: int(number % VALUES >= threshold) for number in range(self.outcomes)}
        self.stored = set(names)
        self.events = {f"f{number:06d}" for number in range(self.outcomes)}
        self.labels = {name: (1, value) for name, value in labelled.items()}
        self.counts = dict.fromkeys(labelled, 1)
        self.lake: dict[str, list[dict[str, Any]]] = {
            "predictions": [{"prediction_id": name} for name in names],
            "labels": [{"prediction_id": name, "seq": 1, "value": value} for name, value in labelled.items()],
        }

    def _table(self) -> Any:
        return self.stored, self.events, self.labels, self.counts

    def _lake(self, kind: str) -> Iterator[dict[str, Any]]:
        return iter(self.lake[kind])

    def reckon(self, threshold: int = THRESHOLD, *, is_erased: bool = False) -> tuple[int, int, int]:
        phase = Phase("test")
        self._reckon(phase, threshold, is_erased=is_erased)
        return phase.lost, phase.doubled, phase.missing


def change(what: Callable[[Kept], Any]) -> Kept:
    kept = Kept()
    what(kept)
    return kept


def test_past_that_is_whole_lacks_nothing() -> None:
    assert Kept().reckon() == (0, 0, 0)
    assert Kept(OTHER_THRESHOLD).reckon(OTHER_THRESHOLD) == (0, 0, 0)


@pytest.mark.parametrize(
    ("what", "reckoned"),
    [
        (lambda kept: kept.stored.discard("p000007"), (0, 0, 1)),
        (lambda kept: kept.lake["predictions"].pop(), (0, 0, 1)),
        (lambda kept: kept.events.discard("f000003"), (0, 0, 1)),
        (lambda kept: kept.labels.update(p000003=(1, 1)), (1, 0, 0)),
        (lambda kept: kept.lake["labels"][3].update(value=1), (1, 0, 0)),
        (lambda kept: kept.counts.update(p000003=2), (0, 1, 0)),
    ],
)
def test_changes_since_the_import_are_counted(what: Callable[[Kept], Any], reckoned: tuple[int, int, int]) -> None:
    assert change(what).reckon() == reckoned


def test_labels_of_the_old_rule_are_lost_to_the_new_one() -> None:
    differing = sum(1 for number in range(ROWS * 2 // 5) if OTHER_THRESHOLD <= number % VALUES < THRESHOLD)
    assert Kept().reckon(OTHER_THRESHOLD) == (differing, 0, 0)


def test_remains_of_the_erased_entity_are_counted_day_by_day() -> None:
    kept = Kept()
    assert sum(map(kept.is_theirs, range(kept.predictions))) == DAYS
    assert kept.reckon(is_erased=True) == (DAYS, 0, 0)
    gone = {f"p{number:06d}" for number in range(kept.predictions) if kept.is_theirs(number)}
    kept.stored -= gone
    for kind in kept.lake:
        kept.lake[kind] = [row for row in kept.lake[kind] if row["prediction_id"] not in gone]
    assert kept.reckon(is_erased=True) == (0, 0, 0)


def test_entity_that_is_erased_has_one_prediction_a_day() -> None:
    kept = Kept()
    days = [kept.made_at(number).date() for number in range(kept.predictions) if kept.is_theirs(number)]
    assert len(days) == len(set(days)) == DAYS
    assert min(days) == past.FIRST.date()


def test_whole_run_names_each_figure_that_is_missing_or_beyond_its_bound() -> None:
    good: dict[str, Any] = {**dict.fromkeys(MEASURED, 1.0), "findings": 0}

    assert missed_figures(good) == []
    for name in MEASURED:
        assert [line.split()[0] for line in missed_figures({**good, name: None})] == [name]
    for name, bound in BOUNDS.items():
        assert [line.split()[0] for line in missed_figures({**good, name: bound + 0.5})] == [name]
