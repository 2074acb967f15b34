"""From an answer to a label: read by the manual rule, sent as feedback that the rule's window takes."""

from dataclasses import replace
from typing import Any

import pytest

from hindsight.config.labels import LabelKind
from hindsight.core.errors import InvalidInput
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.joining.feedback_files import parse_feedback_line
from hindsight.labels.resolve import resolve
from hindsight.labels.rules import ready_rules
from hindsight.review.tasks.annotation import annotation, annotation_id, answer_label, choices, manual_rule
from hindsight.review.tasks.resolution import resolve_task
from hindsight.review.tasks.transitions import answered, leased
from tests.unit.labels.builders import ANNOTATION, DEMAND, THUMB, at, prediction
from tests.unit.review.builders import LEASE, configuration, minutes, said, task


def resolved(rule: dict[str, Any] | None = None, minute: float = 2, value: Any = 1, **made: Any) -> Any:
    configured = configuration(rule or ANNOTATION, DEMAND)
    taken = leased(task(), "ann", minutes(minute - 1), LEASE)
    assert taken is not None
    found = answered(taken, said("ann", 1, minute, value))
    read = manual_rule(configured.labels)
    assert read is not None
    return configured, resolve_task(found, read, configured.task, prediction(**made))


def test_the_highest_manual_rule_reads_the_answers() -> None:
    second = {"event": "expert", "kind": "manual"}
    found = manual_rule(configuration(THUMB, ANNOTATION, second).labels)
    assert found is not None
    assert (found.event, found.kind) == ("annotation", LabelKind.MANUAL)
    assert manual_rule(configuration(THUMB, DEMAND).labels) is None


@pytest.mark.parametrize(
    ("rule", "kind", "value", "label"),
    [
        ({}, "binary", False, 0),
        ({}, "binary", "true", 1),
        ({}, "multiclass", "", ""),
        ({}, "multiclass", 0, "0"),
        ({}, "regression", 0, 0.0),
        ({"map": {"yes": 1, "no": 0}}, "binary", "no", 0),
        ({"positive": {"greater_than": 3}}, "binary", 3, 0),
        ({"value": 1}, "binary", None, 1),
    ],
)
def test_an_answer_is_the_label_its_rule_makes_of_it(rule: dict[str, Any], kind: str, value: Any, label: Any) -> None:
    configured = configuration({**ANNOTATION, **rule}, task=kind)
    found = answer_label(configured.labels.rules[0], value, configured.labels, configured.task)
    assert (found, type(found)) == (label, type(label))


@pytest.mark.parametrize(
    ("rule", "kind", "value"),
    [
        ({}, "binary", 2),
        ({}, "binary", "maybe"),
        ({}, "binary", None),
        ({}, "multiclass", None),
        ({}, "regression", "7"),
        ({}, "regression", True),
        ({"map": {"yes": 1, "no": 0}}, "binary", 1),
        ({"positive": {"greater_than": 3}}, "binary", "four"),
        ({"aggregate": "mean"}, "binary", 7),
    ],
)
def test_an_answer_its_rule_cannot_read_is_refused(rule: dict[str, Any], kind: str, value: Any) -> None:
    # Another rule of the same event that could read it does not count: the manual one makes the label.
    lower = {"event": "annotation", "kind": "explicit", "aggregate": "count"}
    configured = configuration({**ANNOTATION, **rule}, *([lower] if kind == "regression" else []), task=kind)
    with pytest.raises(InvalidInput) as refused:
        answer_label(configured.labels.rules[0], value, configured.labels, configured.task)
    assert [fault.path for fault in refused.value.faults] == ["value"]


def test_known_values_are_offered_to_choose_from() -> None:
    for rule, kind, known in (
        ({}, "binary", [0, 1]),
        ({"map": {"b": "x", "a": "y"}}, "multiclass", ["a", "b"]),
        ({}, "multiclass", None),
        ({}, "regression", None),
        ({"positive": {"at_least": 3}}, "binary", None),
    ):
        configured = configuration({**ANNOTATION, **rule}, task=kind)
        assert choices(configured.labels.rules[0], configured.task) == known


def test_an_annotation_is_a_line_of_feedback_and_the_same_every_time() -> None:
    _, found = resolved(value=True)
    line = feedback_line(annotation(found))
    assert parse_feedback_line(line) == annotation(found)
    assert feedback_line(annotation(found)) == line
    event = annotation(found)
    assert (event.name, event.value, event.source) == ("annotation", True, "review")
    assert (event.occurred_at, event.received_at) == (minutes(2), minutes(2))
    other = replace(found, resolution=replace(found.resolution, value=False))
    assert annotation(other).body_digest != event.body_digest


def test_an_annotation_s_id_fits_however_long_the_prediction_s_is() -> None:
    assert annotation_id("p") == "review:p"
    long, longer = "p" * 121, "p" * 122
    assert annotation_id(long) == f"review:{long}"
    assert annotation_id(longer) != annotation_id(f"{longer}q")
    assert len(annotation_id("p" * 128)) <= 128


@pytest.mark.parametrize("window", [None, "PT1H"])
@pytest.mark.parametrize("minute", [2, 59, 61, 9999])
def test_an_annotation_becomes_the_label_whenever_it_is_given(window: str | None, minute: float) -> None:
    configured, found = resolved({**ANNOTATION, **({"window": window} if window else {})}, minute)
    label = resolve(prediction(), [annotation(found)], ready_rules(configured.labels, configured.task), minutes(minute))
    assert (label.value, label.kind) == (1, "manual")


def test_an_annotation_of_a_prediction_dated_later_than_the_answer_still_counts() -> None:
    configured, found = resolved(hours=100)
    label = resolve(
        prediction(hours=100), [annotation(found)], ready_rules(configured.labels, configured.task), at(101)
    )
    assert (label.value, label.kind) == (1, "manual")
