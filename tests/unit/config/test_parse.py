"""A configuration is understood whole, or refused with every path at fault."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.documents.strict_yaml import parse_yaml
from hindsight.config.parse import (
    configuration_digest,
    dump_configuration,
    parse_configuration,
)
from hindsight.config.types import MAX_NUMBER, format_duration, parse_duration
from hindsight.core.errors import InvalidInput
from hindsight.testing.builders.configuration import configuration, document


def changed(path: str, value: object) -> dict[str, Any]:
    """Replace the value at a dotted path of the example."""
    changed_document = document()
    part: Any = changed_document
    *parents, last = path.split(".")
    for name in parents:
        part = part[int(name)] if name.isdigit() else part[name]
    part[last] = value
    return changed_document


def test_a_configuration_written_out_in_full_means_the_same() -> None:
    original = configuration()

    again = parse_configuration(dump_configuration(original))

    assert again == original
    assert configuration_digest(again) == configuration_digest(original)


def test_the_smallest_configuration_gets_sensible_defaults() -> None:
    smallest = parse_configuration(
        {"model": "m", "task": "binary", "features": {"x": {"type": "numeric"}}, "labels": {"rules": [{"event": "y"}]}}
    )

    assert (smallest.performance_metric, smallest.gate_metric) == ("roc_auc", "roc_auc")
    assert [candidate.value for candidate in smallest.candidates] == ["logistic_regression", "gradient_boosting"]
    assert smallest.labels.default is None


@pytest.mark.parametrize("confidence", [0.01, 0.5, 0.95])
def test_a_confidence_may_lie_anywhere_between_none_and_certainty(confidence: float) -> None:
    performance = {"performance": {"confidence": confidence}}
    assert configuration(monitoring=performance).monitoring.performance.confidence == confidence


def test_a_regression_is_judged_by_its_error_and_trained_linearly() -> None:
    regression = parse_configuration(
        {
            "model": "m",
            "task": "regression",
            "features": {"x": {"type": "numeric"}},
            "labels": {"rules": [{"event": "y"}]},
        }
    )

    assert regression.gate_metric == "mae"
    assert not regression.gate_metric.greater_is_better
    assert regression.candidates[0] == "linear_regression"


def test_the_thresholds_of_an_error_may_be_of_any_size() -> None:
    labels = {"rules": [{"event": "demand", "kind": "outcome", "window": "P2D"}]}
    monitoring = {"performance": {"max": 40.0, "max_drop": 5.0}}
    gate = {"floor": 40.0, "margin": 2.5, "max_slice_drop": 10.0}

    judged = configuration(task="regression", labels=labels, review={}, monitoring=monitoring, gate=gate, training={})

    assert judged.gate.margin == 2.5


@pytest.mark.parametrize(
    ("path", "value", "at_fault"),
    [
        ("colour", "red", "colour"),
        ("labels.rules.1.window", "2 days", "labels.rules[1].window"),
        ("labels.rules.1.window", "P1M", "labels.rules[1].window"),
        ("labels.rules.1.window", "PT0S", "labels.rules[1].window"),
        ("labels.rules.1.event", "exposed", "labels.rules[1].event"),
        ("labels.rules.1.positive", {"greater_than": 1, "less_than": 3}, "labels.rules[1].positive.less_than"),
        ("labels.rules.1.positive", {"greater_than": MAX_NUMBER}, "labels.rules[1].positive.greater_than"),
        ("labels.rules.1.positive", {"less_than": -MAX_NUMBER}, "labels.rules[1].positive.less_than"),
        ("labels.rules.1.value", 1, "labels.rules[1].value"),
        ("labels.rules.1.positive", {}, "labels.rules[1].positive"),
        ("labels.rules.2.map", {"up": 2}, "labels.rules[2].map.up"),
        ("labels.rules.3.value", 7, "labels.rules[3].value"),
        ("labels.rules", [], "labels.rules"),
        (
            "labels.excluded_sources",
            [{"source": "bot", "since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}],
            "labels.excluded_sources[0].since",
        ),
        ("labels.default.value", "maybe", "labels.default.value"),
        ("labels.default.after", "PT1H", "labels.default.after"),
        ("features.hour.type", "strange", "features.hour.type"),
        ("features.hour.min", 3, "features.hour.min"),
        ("features.hour.max", 3, "features.hour.max"),
        ("features", {}, "features"),
        ("monitoring.slices", ["weather"], "monitoring.slices[0]"),
        ("monitoring.performance.metric", "mae", "monitoring.performance.metric"),
        ("monitoring.performance.max", 0.5, "monitoring.performance.max"),
        ("monitoring.drift.alpha", 1, "monitoring.drift.alpha"),
        ("triggers.combine", {"at_least": 9}, "triggers.combine.at_least"),
        ("triggers.combine", "none", "triggers.combine"),
        ("training.candidates", ["linear_regression"], "training.candidates[0]"),
        ("training.candidates", ["gradient_boosting", "gradient_boosting"], "training.candidates[1]"),
        ("training.candidates", ["custom"], "training.candidates[0]"),
        ("training.pipeline", "churn:build", "training.pipeline"),
        ("training.pipeline", "os.system", "training.pipeline"),
        ("training.pipeline", "../churn:build", "training.pipeline"),
        ("training.search", {"trials": 0}, "training.search.trials"),
        ("training.search", {"seconds": 3600}, "training.search.seconds"),
        ("training.class_weight", "heavy", "training.class_weight"),
        ("training.recency_half_life", "PT0S", "training.recency_half_life"),
        ("training.threshold", 1.0, "training.threshold"),
        ("training.threshold", "good", "training.threshold"),
        ("training.holdout", 1.0, "training.holdout"),
        ("gate.floor", float("nan"), "gate.floor"),
        ("gate.floor", "0.7", "gate.floor"),
        ("gate.floor", 7, "gate.floor"),
        ("gate.floor", -0.1, "gate.floor"),
        ("gate.margin", 1.5, "gate.margin"),
        ("gate.max_slice_drop", 40, "gate.max_slice_drop"),
        ("monitoring.performance.min", 5, "monitoring.performance.min"),
        ("monitoring.performance.max_drop", 9, "monitoring.performance.max_drop"),
        ("deployment.probation.max_drop", 5, "deployment.probation.max_drop"),
        ("monitoring.drift", {"method": "jensen_shannon", "threshold": 1.5}, "monitoring.drift.threshold"),
        ("gate.approval", "yes", "gate.approval"),
        ("gate.approval_expires", "P31D", "gate.approval_expires"),
        ("deployment.strategy", "blue-green", "deployment.strategy"),
        ("review.expires", "PT0S", "review.expires"),
        ("review.lease", "soon", "review.lease"),
        ("review.overlap", 0, "review.overlap"),
        ("retention", "P10D", "retention"),
        ("model", "no/slashes", "model"),
        ("task", "ranking", "task"),
    ],
)
def test_fault_is_named_by_its_path(path: str, value: object, at_fault: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_configuration(changed(path, value))

    assert at_fault in {fault.path for fault in refused.value.faults}


def test_ones_own_pipeline_is_a_candidate_like_others() -> None:
    by_default = configuration(training={"pipeline": "churn:build"})
    listed = configuration(training={"pipeline": "churn.trees:build", "candidates": ["custom", "gradient_boosting"]})

    assert [candidate.value for candidate in by_default.candidates][2:] == ["custom"]
    assert [candidate.value for candidate in listed.candidates] == ["custom", "gradient_boosting"]


@pytest.mark.parametrize(
    ("task", "training", "metric", "at_fault"),
    [
        ("regression", {"class_weight": "balanced"}, "mae", "training.class_weight"),
        ("regression", {"threshold": 0.4}, "mae", "training.threshold"),
        ("multiclass", {"threshold": "best"}, "accuracy", "training.threshold"),
        ("binary", {"threshold": "best"}, "roc_auc", "training.threshold"),
        ("binary", {"threshold": "best"}, "recall", "training.threshold"),
    ],
)
def test_field_without_a_meaning_for_the_task_is_refused(
    task: str, training: dict[str, Any], metric: str, at_fault: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_configuration(of_task(task, training, metric))

    assert [fault.path for fault in refused.value.faults] == [at_fault]


def test_best_threshold_is_looked_for_by_balanced_accuracy_unless_the_gate_names_a_metric() -> None:
    document = of_task("binary", {"threshold": "best"}, "f1")
    assert parse_configuration(document).gate_metric == "f1"
    assert parse_configuration({**document, "gate": {}}).gate_metric == "balanced_accuracy"


def test_field_with_a_meaning_for_the_task_is_accepted() -> None:
    binary = parse_configuration(of_task("binary", {"threshold": "best", "class_weight": "balanced"}, "f1"))
    many = parse_configuration(of_task("multiclass", {"threshold": 0.5, "class_weight": "balanced"}, "accuracy"))

    assert (binary.training.threshold, binary.training.class_weight) == ("best", "balanced")
    assert many.training.class_weight == "balanced"


def of_task(task: str, training: dict[str, Any], metric: str) -> dict[str, Any]:
    return {
        "model": "m",
        "task": task,
        "features": {"hour": {"type": "numeric"}},
        "labels": {"rules": [{"event": "outcome", "kind": "outcome", "window": "P1D"}]},
        "training": training,
        "gate": {"metric": metric},
    }


@pytest.mark.parametrize(
    "asked", [{"random_rate": 0.1}, {"uncertain_per_day": 5}, {"random_rate": 0.1, "uncertain_per_day": 5}]
)
def test_answers_that_no_rule_reads_are_not_asked_for(asked: dict[str, Any]) -> None:
    unread = {"rules": [{"event": "thumb", "kind": "explicit"}]}

    with pytest.raises(InvalidInput) as refused:
        configuration(labels=unread, review=asked)

    assert [fault.path for fault in refused.value.faults] == [f"review.{name}" for name in asked]
    assert configuration(labels=unread, review={"overlap": 2}).review.expires == timedelta(days=14)


def test_both_ends_of_an_empty_range_are_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_configuration(
            {**document(), "features": {"x": {"type": "numeric", "min": 2, "max": 1}}, "monitoring": {}}
        )

    assert [(fault.path, fault.message) for fault in refused.value.faults] == [
        ("features.x.min", "must be less than max"),
        ("features.x.max", "must be greater than min"),
    ]


def test_all_faults_are_reported_at_once() -> None:
    broken = changed("gate.floor", "high")
    broken["retention"] = "soon"

    with pytest.raises(InvalidInput) as refused:
        parse_configuration(broken)

    assert {fault.path for fault in refused.value.faults} == {"gate.floor", "retention"}


def test_a_configuration_is_stored_under_its_own_name_only() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_configuration(document(), model="another-model")

    assert refused.value.faults[0].path == "model"


@pytest.mark.parametrize(
    "text", ["a: [1", "a: &x [1]\nb: *x", "\x00", "- {a: 1}", "7", "!!python/object/apply:os.system ['true']"]
)
def test_text_that_is_no_safe_configuration_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_configuration(parse_yaml(text))


@given(st.integers(0, 3660 * 86400))
def test_durations_come_back_from_their_text(seconds: int) -> None:
    length = timedelta(seconds=seconds)

    assert parse_duration(format_duration(length)) == length


@given(st.text(max_size=50))
def test_any_text_is_a_duration_or_an_error(text: str) -> None:
    try:
        length = parse_duration(text)
    except ValueError:
        return
    assert timedelta(0) <= length <= timedelta(days=3660)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"task": "guess"}, {"task": "must be 'binary', 'multiclass' or 'regression'"}),
        ({"features": {}}, {"features": "must not be empty"}),
        ({"labels": {"rules": [{"event": "1"}]}}, {"labels.rules[0].event": "must be 1 to 64 letters"}),
        ({"gate": {"floor": "high"}}, {"gate.floor": "must be a number"}),
        ({"gate": {"confidence": 2}}, {"gate.confidence": "must be less than 1"}),
        ({"review": {"overlap": 0}}, {"review.overlap": "must be at least 1"}),
        ({"training": {"max_rows": 1.5}}, {"training.max_rows": "must be a whole number"}),
        ({"training": {"pipeline": "mine"}}, {"training.pipeline": "must be module:function"}),
        (
            {"labels": {"rules": [{"event": "a", "map": {"x" * 1025: 1}}]}},
            {f"labels.rules[0].map.{'x' * 1025}": "must have at most 1024 characters"},
        ),
        (
            {"labels": {"rules": [{"event": "a", "positive": {"equals": [1]}}]}},
            {"labels.rules[0].positive.equals": "must be text, a number, true or false"},
        ),
    ],
)
def test_fault_is_in_our_words_and_at_its_path(change: dict[str, Any], expected: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_configuration({**document(), **change})
    found = {fault.path: fault.message for fault in refused.value.faults}
    assert found.keys() == expected.keys()
    assert all(found[path].startswith(message) for path, message in expected.items())
