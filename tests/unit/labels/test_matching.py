"""Matching by shared keys where rules change, many predictions come at once, and bodies of one id race."""

from datetime import datetime
from typing import Any

import pytest

from hindsight.config.parse import parse_configuration
from hindsight.entities.feedback import Feedback
from hindsight.entities.prediction import Prediction
from hindsight.labels.joining.feedback_join import SharedEvents
from hindsight.labels.joining.join import JoinCount
from hindsight.labels.matching.recipients import MOST_CANDIDATES
from tests.unit.labels.builders import MODEL, at, configuration, event, key, prediction
from tests.unit.labels.key_world import KeyWorld

CHURNED = {"event": "churned", "kind": "outcome", "by": "entity", "window": "P30D", "value": 1}
THUMB = {"event": "thumb", "kind": "explicit", "window": "P7D", "map": {"up": 1, "down": 0}}
STAYED = {"value": 0, "after": "P30D"}


def world(**changes: Any) -> KeyWorld:
    return KeyWorld(configuration({**CHURNED, **changes}, THUMB, default=STAYED))


def change_rules(found: KeyWorld, **changes: Any) -> None:
    found.configurations.put(configuration({**CHURNED, **changes}, THUMB, default=STAYED), at(60))
    found.revision = found.configurations.current(MODEL)


def churned(feedback_id: str = "f-1", hours: float = 50, *, value: Any = None, **changes: Any) -> Feedback:
    said = event(changes.pop("name", "churned"), value, feedback_id=feedback_id, hours=hours, **changes)
    return said.replace(prediction_id=None, entity_id="customer-17")


def made(prediction_id: str, hours: float, **changes: Any) -> Prediction:
    return prediction(prediction_id, hours, **{"entity_id": "customer-17", **changes})


def history(found: KeyWorld, name: str) -> list[tuple[object, str, datetime]]:
    (collection,) = found.store.load([key(name)])
    return [(record.label.value, record.label.status.value, record.known_at) for record in collection.labels]


def value(found: KeyWorld, name: str) -> object:
    return history(found, name)[-1][0] if history(found, name) else None


def test_event_that_is_sent_again_under_a_changed_window_changes_no_history() -> None:
    found = world()
    found.log(made("p-1", 1))
    found.joiner.join([churned()])
    before = history(found, "p-1")
    change_rules(found, window="P60D")
    found.joiner.join([churned(received=51)])
    assert history(found, "p-1") == before == [(1, "final", at(50))]


def test_label_outlasts_a_changed_window_until_a_relabelling() -> None:
    found = world()
    found.log(made("p-1", 1))
    found.joiner.join([churned()])
    change_rules(found, window="P31D")
    found.joiner.join([event("thumb", "down", hours=60, prediction_id="p-1")])
    found.labels.close_windows([key("p-1")], at(24 * 41))
    assert value(found, "p-1") == 1


def test_prediction_logged_after_a_change_of_the_window_takes_the_event_over() -> None:
    found = world()
    found.log(made("p-1", 1))
    found.joiner.join([churned()])
    change_rules(found, window="P31D")
    found.log(made("p-2", 40, received_at=at(70)))
    assert history(found, "p-1") == [(1, "final", at(50)), (None, "pending", at(70))]
    assert value(found, "p-2") == 1


def test_one_event_labels_one_prediction_however_many_came_at_once() -> None:
    found = world()
    found.log(made("p-0", 1))
    found.joiner.join([churned(received=100)])
    many = [made(f"q-{n:03d}", 2 + n / 100, received_at=at(101)) for n in range(MOST_CANDIDATES + 1)]
    for one in many:
        found.store.save(one, found.configuration.retention)
    found.join_waiting(found.enter(*many))
    assert [name for name in ("p-0", *(one.prediction_id for one in many)) if value(found, name) == 1] == [
        f"q-{MOST_CANDIDATES:03d}"
    ]


def test_body_that_another_one_displaced_labels_nothing_after_a_crash_before_its_delivery() -> None:
    found = world()
    found.log(made("p-1", 1), made("p-2", 40))
    second = churned(hours=50, received=60, digest="second")
    first = churned(hours=20, received=55, digest="first")
    found.joiner.join([second])
    assert value(found, "p-2") == 1
    found.matches.keep([first], found.configuration.retention)
    found.joiner.join([first])
    assert (value(found, "p-1"), value(found, "p-2")) == (1, None)


def test_body_that_is_displaced_while_it_is_delivered_labels_nothing() -> None:
    found = world()
    found.log(made("p-1", 1), made("p-2", 40))
    second = churned(hours=50, received=60, digest="second")
    first = churned(hours=20, received=55, digest="first")
    matches = found.matcher.match_events([second], found.revision)
    found.joiner.join([first])
    found.joiner._deliver(MODEL, matches, found.revision)
    assert (value(found, "p-1"), value(found, "p-2")) == (1, None)


def test_retraction_that_displaces_another_one_gives_back_the_label() -> None:
    found = world()
    found.log(made("p-1", 1, entity_id="customer-17"))
    found.joiner.join([churned("f-1")])
    later = churned("r", 60, name="retracted", value="f-1", received=62, digest="later")
    earlier = churned("r", 59, name="retracted", value="f-2", received=61, digest="earlier")
    found.joiner.join([later])
    assert value(found, "p-1") is None
    found.joiner.join([earlier])
    assert value(found, "p-1") == 1


def test_events_that_wait_too_long_are_counted_once_also_without_time() -> None:
    found = world()
    found.joiner.join([churned(f"f-{n}") for n in range(6)])
    reports = [found.joiner.time_out(MODEL, at(24 * 30), lambda: False) for _ in range(5)]
    assert sum(report.counts.get(MODEL, {}).get(JoinCount.UNMATCHED, 0) for report in reports) == 6


def test_event_that_waited_in_vain_waits_no_more_after_a_relabelling() -> None:
    found = world()
    found.joiner.join([churned()])
    assert found.joiner.time_out(MODEL, at(24 * 30)).counts[MODEL][JoinCount.UNMATCHED] == 1
    found.joiner.relabel({}, SharedEvents(MODEL, [churned()], ()), at(24 * 31))
    assert not found.joiner.time_out(MODEL, at(24 * 60)).counts.get(MODEL, {}).get(JoinCount.UNMATCHED)
    found.log(made("p-1", 1))
    assert value(found, "p-1") == 1


def test_event_that_waited_in_vain_and_is_sent_again_is_set_aside_again() -> None:
    found = world()
    found.joiner.join([churned()])
    found.joiner.time_out(MODEL, at(24 * 30))
    found.joiner.join([churned(received=24 * 31)])
    assert found.joiner.time_out(MODEL, at(24 * 60)).counts[MODEL][JoinCount.UNMATCHED] == 1


def test_feedback_by_entity_of_an_excluded_source_labels_and_retracts_nothing() -> None:
    rules = configuration(CHURNED, THUMB, default=STAYED).model_dump(mode="json", exclude_none=True)
    rules["labels"]["excluded_sources"] = [{"source": "poisoned"}]
    found = KeyWorld(parse_configuration(rules))
    found.log(made("p-1", 1))
    found.joiner.join([churned("f-1", 50).replace(source="poisoned")])
    assert value(found, "p-1") is None
    found.joiner.join([churned("f-2", 51)])
    found.joiner.join([churned("r", 52, name="retracted", value="f-2").replace(source="poisoned")])
    assert value(found, "p-1") == 1


@pytest.mark.parametrize("newcomers", [101, MOST_CANDIDATES - 1, MOST_CANDIDATES, 2 * MOST_CANDIDATES])
def test_event_for_all_labels_the_first_hundred_however_many_came_at_once(newcomers: int) -> None:
    found = world(match="all")
    found.log(*(made(f"p-{n:03d}", 10 + n / 100) for n in range(100)))
    found.joiner.join([churned(received=100)])
    many = [made(f"q-{n:03d}", 1 + n / 100, received_at=at(101)) for n in range(newcomers)]
    for one in many:
        found.store.save(one, found.configuration.retention)
    found.join_waiting(found.enter(*many))
    names = [*(one.prediction_id for one in many), *(f"p-{n:03d}" for n in range(100))]
    assert [name for name in names if value(found, name) == 1] == names[:100]
    assert found.quarantined("too_many_predictions")


def test_event_for_the_last_of_many_predictions_is_not_one_of_too_many() -> None:
    found = world()
    found.log(*(made(f"p-{n:03d}", n / 100) for n in range(120)))
    found.joiner.join([churned()])
    found.joiner.join([churned(received=51)])
    assert value(found, "p-119") == 1
    assert found.quarantined("too_many_predictions") == []


def test_prediction_of_a_crowded_reference_is_reported_at_its_own_turn_alone() -> None:
    rule = {"event": "returned", "kind": "outcome", "by": "reference", "window": "P30D", "value": 1}
    found = KeyWorld(configuration(rule))
    said = event("returned", feedback_id="f-1", hours=50).replace(prediction_id=None, reference="order-9")
    found.joiner.join([said])
    for number in range(102):
        found.log(prediction(f"p-{number:03d}", number / 10, reference="order-9"))
    labelled = [number for number in range(102) if value(found, f"p-{number:03d}") == 1]
    assert labelled == list(range(100))
    assert len(found.quarantined("too_many_predictions")) == 1
