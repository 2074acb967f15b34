from datetime import timedelta

import pytest

from hindsight.entities.label import Label, LabelStatus
from hindsight.labels.disposition import Disposition, disposition
from hindsight.labels.resolve import CENSORED, PENDING, first_due_at, resolution, resolve
from tests.unit.labels.builders import (
    ANNOTATION,
    DEMAND,
    EXPOSED_DEFAULT,
    PURCHASE,
    THUMB,
    at,
    event,
    prediction,
    ready,
)

RULES = ready(ANNOTATION, DEMAND, THUMB, PURCHASE, default=EXPOSED_DEFAULT)


def label(*events: object, as_of: float, rules: object = RULES) -> Label:
    return resolve(prediction(), events, rules, at(as_of))  # type: ignore[arg-type]


def test_without_feedback_a_label_is_pending() -> None:
    assert label(as_of=1) == PENDING


def test_an_outcome_under_no_higher_open_window_is_final() -> None:
    found = label(event("demand", 150), as_of=1)

    assert found == Label(value=1, status=LabelStatus.FINAL, kind="outcome", event="demand")


def test_a_label_is_provisional_while_a_higher_window_is_open() -> None:
    thumb = event("thumb", "down")

    assert label(thumb, as_of=47.9).status is LabelStatus.PROVISIONAL
    assert label(thumb, as_of=48).status is LabelStatus.FINAL


def test_the_highest_rule_wins_and_disagreement_is_kept() -> None:
    found = label(event("purchase"), event("thumb", "down"), event("demand", 50), as_of=2)

    assert (found.value, found.event, found.disagreeing) == (0, "demand", ("purchase",))


def test_an_annotation_amends_a_final_label_whenever_it_comes() -> None:
    events = [event("demand", 150), event("annotation", 0, hours=5000)]

    assert label(*events, as_of=4999).value == 1
    assert label(*events, as_of=5000) == Label(
        value=0, status=LabelStatus.FINAL, kind="manual", event="annotation", disagreeing=("demand",)
    )


@pytest.mark.parametrize(("hours", "counts"), [(-0.03, True), (-0.04, False), (0, True), (48, True), (48.001, False)])
def test_a_window_reaches_from_the_clock_skew_to_its_close(hours: float, counts: bool) -> None:
    found = label(event("demand", 150, hours=hours, received=49), as_of=49)

    assert (found.event == "demand") is counts


def test_late_feedback_that_occurred_in_time_amends_the_label() -> None:
    late = event("demand", 150, hours=40, received=300)

    assert label(event("exposed"), late, as_of=299).kind == "default"
    assert label(event("exposed"), late, as_of=300).value == 1


def test_the_default_falls_due_only_for_the_exposed() -> None:
    assert label(event("exposed"), as_of=167) == PENDING
    assert label(event("exposed"), as_of=168) == Label(value=0, status=LabelStatus.FINAL, kind="default")
    assert label(as_of=168) == CENSORED


def test_a_default_is_provisional_while_any_window_is_open() -> None:
    rules = ready(DEMAND, THUMB, default={"value": 0, "after": "P3D"})

    assert label(as_of=72, rules=rules).status is LabelStatus.PROVISIONAL
    assert label(as_of=168, rules=rules).status is LabelStatus.FINAL


def test_without_a_default_the_label_is_censored_when_the_longest_window_closes() -> None:
    rules = ready(DEMAND, THUMB)

    assert label(as_of=167.9, rules=rules) == PENDING
    assert label(as_of=168, rules=rules) == CENSORED


def test_without_windows_or_default_the_label_stays_pending() -> None:
    assert label(as_of=10**6, rules=ready(ANNOTATION)) == PENDING


def test_a_retracted_event_counts_until_its_retraction_is_received() -> None:
    events = [event("demand", 150, feedback_id="f-1"), event("retracted", "f-1", hours=3)]

    assert label(*events, as_of=2).value == 1
    assert label(*events, as_of=3) == PENDING


def test_a_retraction_cannot_be_retracted() -> None:
    events = [
        event("demand", 150, feedback_id="f-1"),
        event("retracted", "f-1", hours=3, feedback_id="r-1"),
        event("retracted", "r-1", hours=4),
    ]

    assert label(*events, as_of=5) == PENDING


def test_ties_in_time_are_broken_by_receipt_and_then_by_id() -> None:
    first, second = event("demand", 150, received=2, feedback_id="b"), event("demand", 50, received=3, feedback_id="a")
    third = event("demand", 160, received=3, feedback_id="c")

    assert label(first, second, as_of=3).value == 0
    assert label(third, second, first, as_of=3).value == 1


def test_of_one_id_the_first_received_counts() -> None:
    events = [event("demand", 50, feedback_id="f", received=3), event("demand", 150, feedback_id="f", received=2)]

    assert label(*events, as_of=9).value == 1


def test_a_time_at_the_end_of_the_calendar_has_its_windows_too() -> None:
    last = prediction(hours=0, occurred_at=at(0).replace(year=9999, month=12, day=31))

    assert resolve(last, [], RULES, last.occurred_at) == PENDING


def test_the_next_change_is_the_default_then_nothing() -> None:
    exposed = [event("exposed")]

    assert resolution(prediction(), exposed, RULES, at(1)).next_change_at == at(168)
    assert resolution(prediction(), exposed, RULES, at(168)).next_change_at is None


def test_the_next_change_of_a_provisional_label_is_the_close_of_the_window_above() -> None:
    assert resolution(prediction(), [event("thumb", "up")], RULES, at(1)).next_change_at == at(48)
    assert resolution(prediction(), [event("demand", 1)], RULES, at(1)).next_change_at is None


def test_a_new_prediction_falls_due_at_its_default_or_at_once_if_that_has_passed() -> None:
    rules = ready(THUMB, DEMAND, default={"value": 0, "after": "P3D"})

    assert first_due_at(prediction(), rules) == at(72)
    assert first_due_at(prediction(received_at=at(100)), rules) == at(100)
    assert first_due_at(prediction(), ready(ANNOTATION)) is None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (event("demand", 1), Disposition.IN_WINDOW),
        (event("demand", 1, received=48), Disposition.IN_WINDOW),
        (event("demand", 1, received=49), Disposition.LATE),
        (event("demand", 1, hours=49), Disposition.OUT_OF_WINDOW),
        (event("demand", 1, hours=-1), Disposition.OUT_OF_WINDOW),
        (event("annotation", 1, hours=9999), Disposition.IN_WINDOW),
        (event("demand", "many"), Disposition.UNMATCHED_RULE),
        (event("click"), Disposition.UNMATCHED_RULE),
        (event("exposed"), Disposition.EXPOSURE),
        (event("retracted", "f"), Disposition.RETRACTION),
    ],
)
def test_every_event_has_its_disposition(found: object, expected: Disposition) -> None:
    assert disposition(found, prediction(), RULES) is expected  # type: ignore[arg-type]


def test_feedback_without_its_prediction_is_early() -> None:
    assert disposition(event("demand", 1), None, RULES) is Disposition.PENDING


def test_clock_skew_bounds_rules_without_a_window_too() -> None:
    too_early = event("annotation", 1, hours=0, received=1)
    shifted_prediction = prediction(occurred_at=at(0) + timedelta(minutes=3))

    assert resolve(shifted_prediction, [too_early], RULES, at(2)) == PENDING
