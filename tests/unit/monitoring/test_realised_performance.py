import json
import random
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from hindsight.config.model import ModelConfiguration
from hindsight.core.times import format_time
from hindsight.evaluation.matured_labels import read_matured
from hindsight.evaluation.performance_limit import performance_limit
from hindsight.evaluation.sequential.sequential_test import SequentialTest
from hindsight.evaluation.slices import MAX_SLICES
from hindsight.label_records.window import labels_in_window, matured_in_window
from hindsight.lake.object_store import LABELS, day_prefix
from hindsight.monitoring.performance.live_performance import claim_of
from hindsight.monitoring.performance.realised_performance import (
    PerformanceReport,
    check_performance,
    performance_measurements,
)
from hindsight.monitoring.results.check import Verdict
from hindsight.monitoring.results.monitored_version import MonitoredVersion
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.builders.configuration import configuration

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
REGRESSION = {
    "task": "regression",
    "labels": {"rules": [{"event": "demand", "window": "P1D"}]},
    "review": {},
    "training": {},
    "gate": {},
}


def rules(performance: dict[str, Any], **changes: Any) -> ModelConfiguration:
    """Build a configuration that follows, of classes, accuracy where no metric is named."""
    followed = {} if changes.get("task") == "regression" else {"metric": "accuracy"}
    monitoring = {"performance": {**followed, **performance}, "slices": ["holiday", "temperature"]}
    return configuration(monitoring=monitoring, **changes)


def answers(hits: int, misses: int, version: str = "v1", **changes: Any) -> list[dict[str, Any]]:
    row = {"decision": 1, "score": 0.9, "model_version": version, "features": {"holiday": False}, **changes}
    return [{**row, "value": 1} for _ in range(hits)] + [{**row, "value": 0} for _ in range(misses)]


def report(
    rows: list[dict[str, Any]], limits: ModelConfiguration, gate_value: float | None = None
) -> PerformanceReport:
    """Judge rows whose labels matured in any order."""
    champion = MonitoredVersion(version="v1", since=NOW, gate_value=gate_value)
    claimed = claim_of(limits, champion)
    test = SequentialTest.of(claimed, NOW, None) if claimed else None
    if test is not None:
        mixed = random.Random(1).sample(rows, len(rows))
        of_champion = [row for row in mixed if row["model_version"] == "v1"]
        test = test.count_labels(read_matured(of_champion, limits).predictions, NOW)
    limit = performance_limit(limits, gate_value)
    return check_performance(rows, limits, champion="v1", limit=limit, test=test, level=1e-5)


def test_performance_is_shown_of_the_busiest_versions_however_many_there_are() -> None:
    others = [row for number in range(MAX_SLICES + 10) for row in answers(1, 0, version=f"other-{number:03d}")]
    found = report([*others, *answers(2, 0)], rules({}))
    assert len(found.versions) == MAX_SLICES
    assert found.versions["v1"].labels == 2


def test_performance_significantly_below_the_limit_is_low() -> None:
    found = report(answers(700, 300), rules({"min": 0.85}))
    assert found.verdict is Verdict.LOW
    assert found.shortfall == pytest.approx(0.85 - 0.7)
    assert found.evidence is not None
    assert found.evidence >= 20
    assert found.counted == 1000


def test_performance_below_the_limit_that_may_be_chance_is_suspect_and_no_alarm() -> None:
    found = report(answers(168, 32), rules({"min": 0.85}))
    assert found.champion.value == 0.84
    assert (found.verdict, found.shortfall) == (Verdict.SUSPECT, 0.0)
    assert "below the limit 0.8500, which may be chance; evidence" in found.reason
    assert performance_measurements("demand", "v1", found)[0].name == "LivePerformance"
    assert report(answers(170, 30), rules({"min": 0.85})).verdict is Verdict.OK
    assert report(answers(120, 80), rules({"max_drop": 0.05}), gate_value=0.65).verdict is Verdict.OK


@pytest.mark.parametrize("confidence", [0.01, 0.3, 0.5])
@pytest.mark.parametrize("scored", [0.9, 0.2])
def test_any_confidence_gives_a_verdict_and_bounds_around_the_value(confidence: float, scored: float) -> None:
    policy = {"min": 0.85, "confidence": confidence}
    assert report(answers(950, 50, score=scored), rules(policy)).verdict is Verdict.OK
    found = report(answers(700, 300, score=scored), rules(policy))
    assert found.verdict is Verdict.LOW
    json.dumps(asdict(found), allow_nan=False)
    calibrated = found.calibration
    assert calibrated is not None
    assert calibrated.lower <= calibrated.error <= calibrated.upper or calibrated.lower == 0.0
    for one in found.metrics.values():
        if one.value is not None and one.lower is not None and one.upper is not None:
            assert one.lower <= one.value <= one.upper


def test_too_few_labels_of_the_champion_are_insufficient_in_spite_of_other_versions() -> None:
    found = report(answers(0, 199) + answers(900, 0, version="v0"), rules({"min": 0.85}))
    assert found.verdict is Verdict.INSUFFICIENT
    assert found.shortfall == 0.0
    assert (found.versions["v0"].value, found.versions["v1"].value) == (1.0, 0.0)
    assert found.overall.labels == 1099


def test_drop_below_the_gate_s_metric_is_low() -> None:
    limits = rules({"max_drop": 0.05})
    assert report(answers(800, 200), limits, gate_value=0.95).verdict is Verdict.LOW
    assert report(answers(850, 150), limits).verdict is Verdict.OK


def test_stricter_of_two_limits_holds_for_scores_and_losses() -> None:
    assert performance_limit(rules({"min": 0.7, "max_drop": 0.05}), 0.9) == pytest.approx(0.85)
    assert performance_limit(rules({"min": 0.7}), 0.9) == 0.7
    losses = rules({"metric": "log_loss", "max": 0.5, "max_drop": 0.1})
    assert performance_limit(losses, 0.3) == pytest.approx(0.4)


def test_default_limit_is_a_twentieth_below_the_gate_or_a_fifth_above_its_loss() -> None:
    assert performance_limit(rules({}), 0.9) == pytest.approx(0.85)
    assert performance_limit(rules({"metric": "log_loss"}), 0.3) == pytest.approx(0.36)
    assert performance_limit(rules({}), None) is None
    assert performance_limit(rules({"min": 0.5}), 0.9) == 0.5


def test_metric_without_single_label_values_is_judged_by_an_interval_at_the_evaluations_level() -> None:
    rows = [
        {"decision": x + noise, "score": x + noise, "value": x, "model_version": "v1", "features": {}}
        for x, noise in ((float(i % 17), float(i % 5) - 2) for i in range(600))
    ]
    good, doubtful, bad = ({"metric": "r2", "min": least} for least in (0.5, 0.922, 0.99))
    assert report(rows, rules(good, **REGRESSION)).verdict is Verdict.OK
    assert report(rows, rules(doubtful, **REGRESSION)).verdict is Verdict.SUSPECT
    found = report(rows, rules(bad, **REGRESSION))
    assert (found.verdict, found.evidence) == (Verdict.LOW, None)
    assert "at a level of 1e-05" in found.reason


def test_loss_is_low_when_it_is_too_large() -> None:
    rng = np.random.default_rng(1)
    rows = [
        {"decision": float(x), "score": float(x), "value": float(x + e), "model_version": "v1", "features": {}}
        for x, e in rng.normal(size=(400, 2))
    ]
    assert report(rows, rules({"metric": "mae", "max": 0.5}, **REGRESSION)).verdict is Verdict.LOW
    assert report(rows, rules({"metric": "mae", "max": 0.9}, **REGRESSION)).verdict is Verdict.OK
    slightly = report(rows, rules({"metric": "mae", "max": 0.79}, **REGRESSION))
    assert slightly.verdict is Verdict.SUSPECT
    assert "above the limit 0.7900" in slightly.reason


def test_undefined_metric_is_insufficient() -> None:
    found = report(answers(500, 0), rules({"metric": "roc_auc", "min": 0.5}))
    assert found.verdict is Verdict.INSUFFICIENT
    assert "undefined" in found.reason


def test_rows_that_do_not_fit_the_task_are_left_out_and_counted() -> None:
    odd = answers(0, 3, decision="approve") + answers(0, 2, score=float("nan"))
    found = report(answers(300, 0) + odd, rules({"min": 0.85}))
    assert (found.unreadable, found.champion.value) == (5, 1.0)


def test_slices_include_missing_values_and_quarters() -> None:
    rows = (
        answers(90, 10) + answers(10, 90, features={"holiday": True, "temperature": 0.5}) + answers(5, 0, features={})
    )
    found = report(rows, rules({"min": 0.5}))
    assert {name: slice_.value for name, slice_ in found.slices["holiday"].items()} == {
        "false": 0.9,
        "true": 0.1,
        "(missing)": 1.0,
    }
    assert {name: slice_.labels for name, slice_ in found.slices["temperature"].items()} == {
        "0.5": 100,
        "(missing)": 105,
    }


def test_without_rows_the_verdict_is_insufficient() -> None:
    assert report([], rules({"min": 0.85})).verdict is Verdict.INSUFFICIENT


def example(name: str, *, seq: int = 1, known: datetime, due: datetime, value: Any = 1) -> dict[str, Any]:
    times = {"known_at": format_time(known), "outcome_due_at": format_time(due)}
    complete = {"features": {}, "occurred_at": format_time(known), "model_version": "v1"}
    return {"prediction_id": name, "seq": seq, "value": value, **complete, **times}


def test_labels_mature_when_due_whenever_they_were_known() -> None:
    lake = InMemoryLake()
    rows = [
        example("early", known=NOW - 80 * DAY, due=NOW - 6 * DAY),
        example("before the window", known=NOW - 8 * DAY, due=NOW - 7 * DAY),
        example("not due", known=NOW - DAY, due=NOW + HOUR),
        example("just due", known=NOW, due=NOW),
        example("known later", known=NOW + HOUR, due=NOW - DAY),
        example("retracted", known=NOW - 2 * DAY, due=NOW - DAY),
        example("retracted", seq=2, known=NOW - DAY, due=NOW - DAY, value=None),
        example("amended", seq=2, known=NOW - DAY, due=NOW - DAY, value=0),
        example("amended", known=NOW - 2 * DAY, due=NOW - DAY),
    ]
    for number, row in enumerate(rows):
        day = datetime.fromisoformat(max(row["known_at"], row["outcome_due_at"])).date()
        lake.write_lines(f"{day_prefix(LABELS, 'bike', day)}{number}", [row, row])
    labels = labels_in_window(lake, "bike", NOW, 7 * DAY, (), also=["prediction_id"]).rows
    found = {row["prediction_id"]: row["value"] for row in matured_in_window(labels, NOW, 7 * DAY, NOW)}
    assert found == {"early": 1, "just due": 1, "amended": 0}


MULTICLASS = {
    "task": "multiclass",
    "labels": {"rules": [{"event": "demand", "window": "P1D"}]},
    "review": {},
    "training": {},
    "gate": {},
}


def test_multiclass_log_loss_needs_the_probabilities_of_every_row() -> None:
    limits = rules({"metric": "log_loss", "max": 0.5}, **MULTICLASS)
    complete = answers(300, 0, decision="a", probabilities={"a": 0.9, "b": 0.1})
    complete = [{**row, "value": "a" if place % 10 else "b"} for place, row in enumerate(complete)]
    found = report(complete, limits)
    assert found.champion.value == pytest.approx(-(0.9 * np.log(0.9) + 0.1 * np.log(0.1)))
    assert found.calibration is not None
    assert found.calibration.error == pytest.approx(0.0, abs=1e-9)
    silent = [{name: value for name, value in row.items() if name != "probabilities"} for row in complete]
    assert report(silent, limits).verdict is Verdict.INSUFFICIENT
    assert report([*complete, *silent], limits).verdict is Verdict.INSUFFICIENT
    assert report(silent, rules({"min": 0.5}, **MULTICLASS)).verdict is Verdict.OK


@pytest.mark.parametrize(
    "broken",
    [
        {"score": None},
        {"score": "0.9"},
        {"score": 10**400},
        {"score": float("inf")},
        {"decision": None},
        {"decision": {"a": 1}},
        {"features": {"holiday": [1], "temperature": 10**400}},
        {"features": {"holiday": float("nan"), "temperature": float("nan")}},
    ],
)
def test_broken_records_raise_no_error_and_no_alarm(broken: dict[str, Any]) -> None:
    found = report(answers(0, 300, **broken), rules({"min": 0.85}))
    expected = Verdict.LOW if "features" in broken else Verdict.INSUFFICIENT
    assert found.verdict is expected
    json.dumps(asdict(found), allow_nan=False)


def test_one_class_alone_is_insufficient_for_metrics_of_two_classes() -> None:
    for metric in ("roc_auc", "balanced_accuracy"):
        found = report(answers(0, 300), rules({"metric": metric, "min": 0.5}))
        assert found.verdict is Verdict.INSUFFICIENT
        assert found.shortfall == 0.0


@pytest.mark.parametrize(("limits", "verdict"), [({"min": 0.3}, Verdict.LOW), ({}, Verdict.INSUFFICIENT)])
def test_champion_that_never_says_yes_is_low_by_name_if_a_limit_is_set(
    limits: dict[str, float], verdict: Verdict
) -> None:
    never = answers(60, 240, decision=0, score=0.1)
    found = report(never, rules({"metric": "precision", "min_labels": 200, **limits}))
    assert found.verdict is verdict
    assert found.champion.value is None
    if verdict is Verdict.LOW:
        assert found.reason == "it decides 0 on all 300 labels, which have several values: precision is undefined"
        assert found.shortfall > 0


def test_labels_of_one_value_are_no_proof_against_a_champion_that_never_says_yes() -> None:
    never = answers(0, 300, decision=0, score=0.1)
    found = report(never, rules({"metric": "precision", "min_labels": 200, "min": 0.3}))
    assert found.verdict is Verdict.INSUFFICIENT
