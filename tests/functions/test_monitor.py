import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import numpy as np
import pytest

from functions.monitor.app import handler
from hindsight.bootstrap import labelling, monitoring, stores
from hindsight.config.metrics import Task
from hindsight.core.times import format_time
from hindsight.label_records.sampling import margin
from hindsight.lake.object_store import LABELS, PREDICTIONS, day_prefix, version_prefix
from hindsight.monitoring.checks.monitor import Monitor
from hindsight.monitoring.results.check import CheckKind, Verdict
from hindsight.profiles.build import Columns, profile_columns
from hindsight.profiles.codec import encode
from hindsight.profiles.logs.log_profiler import LogProfiler
from hindsight.profiles.profile import Profile
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.builders.pointers import promoted
from tests.functions.conftest import Context, FannedOut
from tests.functions.published import metric
from tests.unit.labels.builders import event

NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)
MODEL = "bike-demand"

Sample = Callable[[str], dict[str, Any]]


def trained_on(model: str) -> Profile:
    columns = Columns(
        prediction_ids=[f"t{number}" for number in range(1000)],
        features={
            "hour": ["8", "17"] * 500,
            "temperature": np.linspace(0, 0.5, 1000),
            "holiday": [number % 10 == 0 for number in range(1000)],
        },
        scores=np.linspace(0, 1, 1000),
        decisions=[1] * 1000,
    )
    return profile_columns(columns, configuration(model=model).features, Task.BINARY)


def serve(model: str, *, temperature: float, accuracy: float, reference: bool = True) -> None:
    """A champion with its reference, 600 predictions of the last days and their labels."""
    stores.configurations().put(configuration(model=model), NOW)
    stores.registry().move_pointer(model, promoted("v1", NOW - timedelta(days=8)))
    rng = np.random.default_rng(1)
    lake = stores.lake()
    if reference:
        lake.write_bytes(version_prefix(model, "v1") + "reference.profile", encode(trained_on(model)), "text/plain")
    predictions, labels = [], []
    occurred = NOW - timedelta(days=3)
    for index, number in enumerate(rng.uniform(0, 0.5, 600)):
        features = {"hour": ["8", "17"][index % 2], "temperature": number + temperature, "holiday": index % 10 == 0}
        row = {
            "prediction_id": f"p{index}",
            "features": features,
            "score": float(rng.uniform()),
            "decision": 1,
            "model_version": "v1",
            "occurred_at": format_time(occurred),
            "outcome_due_at": format_time(NOW - timedelta(hours=1)),
        }
        predictions.append(row)
        label = {
            "seq": 1,
            "value": int(index < accuracy * 600),
            "status": "final",
            "kind": "outcome",
            "known_at": format_time(NOW - timedelta(days=1)),
        }
        labels.append({**row, **label})
    log = day_prefix(PREDICTIONS, model, occurred.date()) + "a.jsonl.gz"
    lake.write_lines(log, predictions)
    assert not LogProfiler(lake, stores.configurations(), pause=lambda _: None).profile([log]).failures
    lake.write_lines(day_prefix(LABELS, model, (NOW - timedelta(hours=1)).date()) + "a.jsonl.gz", labels)


def test_sample_schedule_finds_a_low_model_and_publishes_its_metrics(
    deployed: None, sample: Sample, context: Context
) -> None:
    serve(MODEL, temperature=0.4, accuracy=0.7)
    drift, performance, _, _ = handler(sample("monitor"), context)["checks"]
    assert (drift["kind"], drift["verdict"]) == ("drift", "drift")
    assert (performance["kind"], performance["verdict"]) == ("performance", "low")
    stored = stores.check_store().latest(MODEL, CheckKind.PERFORMANCE)
    assert stored is not None
    assert stored.summary["value"] == pytest.approx(0.7)
    assert stored.summary["limit"] == 0.85
    of_version = (("Model", MODEL), ("ModelVersion", "v1"))
    assert metric("LivePerformance") == {of_version: pytest.approx(0.7)}
    assert metric("DriftingFeatureShare") == {of_version: pytest.approx(1 / 3)}
    shortfall = stored.summary["shortfall"]
    assert shortfall > 0.1
    dimensions = [(), (("Model", MODEL),)]
    assert metric("LivePerformanceShortfall") == {key: pytest.approx(shortfall) for key in dimensions}


def test_the_whole_report_lies_in_the_lake_under_one_name_a_moment(
    deployed: None, sample: Sample, context: Context
) -> None:
    serve(MODEL, temperature=0.0, accuracy=0.95)
    handler(sample("monitor"), context)
    handler(sample("monitor"), context)
    keys = list(stores.lake().keys(day_prefix("checks", MODEL, NOW.date())))
    assert [key.rsplit("-", 1)[1] for key in keys] == [
        "drift.html",
        "drift.json",
        "estimated_performance.json",
        "join_health.json",
        "performance.json",
    ]
    page, *reports = (stores.lake().read_bytes(key) for key in keys)
    drift, estimated, health, performance = map(json.loads, reports)
    assert b"temperature" in page
    assert drift["verdict"] == performance["verdict"] == Verdict.OK
    # A version without a record counts as made elsewhere: its estimator is fitted on the labels it has.
    assert (estimated["verdict"], estimated["summary"]["fitted_on"]) == (Verdict.OK, 600)
    assert health["report"]["by_status"] == {"final": 600}
    assert set(drift["report"]["features"]) == {"hour", "temperature", "holiday"}
    assert set(performance["report"]["slices"]["holiday"]) == {"true", "false"}


def test_a_model_without_a_champion_or_predictions_is_left_alone(
    deployed: None, sample: Sample, context: Context
) -> None:
    stores.configurations().put(configuration(), NOW)
    assert handler(sample("monitor"), context) == {"checks": []}


def test_before_the_first_version_the_join_is_measured_all_the_same(
    deployed: None, sample: Sample, context: Context
) -> None:
    serve(MODEL, temperature=0.4, accuracy=0.9)
    boto3.client("dynamodb").delete_item(TableName="models", Key={"pk": {"S": MODEL}, "sk": {"S": "pointer"}})
    checks = handler(sample("monitor"), context)["checks"]
    assert [check["kind"] for check in checks] == ["join_health"]
    assert metric("LabelLatencyP90").keys() == {(("Model", MODEL),)}
    stored = stores.check_store().latest(MODEL, CheckKind.JOIN_HEALTH)
    assert stored is not None
    assert (stored.summary["by_status"], stored.summary["not_due"]) == ({"final": 600}, 0)


def test_feedback_that_changes_nothing_is_a_finding_although_no_prediction_was_logged(
    deployed: None, sample: Sample, context: Context
) -> None:
    stores.configurations().put(configuration(), NOW)
    sent = [event("demand", 5, prediction_id=f"misspelt-{number}", model=MODEL) for number in range(30)]
    received = [one.replace(received_at=NOW - timedelta(hours=2)) for one in sent]
    labelling.label_joiner().join(received)
    [check] = handler(sample("monitor"), context)["checks"]
    assert (check["kind"], check["verdict"]) == ("feedback", "low")
    assert check["reason"] == ("30 of 30 events of a day change no label: 30 wait for predictions that were not logged")
    stored = stores.check_store().latest(MODEL, CheckKind.FEEDBACK)
    assert stored is not None
    assert stored.summary["by_cause"] == {"unknown_prediction": 30}
    later = sample("monitor") | {"time": format_time(NOW + timedelta(hours=23))}
    assert [check["verdict"] for check in handler(later, context)["checks"]] == ["insufficient"]


def test_without_a_reference_nothing_is_said_about_drift(deployed: None, sample: Sample, context: Context) -> None:
    serve(MODEL, temperature=0.4, accuracy=0.9, reference=False)
    drift, performance, _, _ = handler(sample("monitor"), context)["checks"]
    assert drift["verdict"] == "insufficient"
    assert performance["verdict"] == "ok"


def test_a_bus_that_refuses_keeps_no_check_from_the_triggers(deployed: None, sample: Sample, context: Context) -> None:
    serve(MODEL, temperature=0.4, accuracy=0.7)
    boto3.client("events").delete_event_bus(Name="events")
    with pytest.raises(Exception, match=MODEL):
        handler(sample("monitor"), context)
    for kind, verdict in ((CheckKind.DRIFT, Verdict.DRIFT), (CheckKind.PERFORMANCE, Verdict.LOW)):
        stored = stores.check_store().latest(MODEL, kind)
        assert stored is not None
        assert stored.verdict is verdict
    assert metric("LivePerformanceShortfall")[()] > 0


def test_one_model_that_fails_leaves_the_others_checked_and_published(
    fanned_out: FannedOut, sample: Sample, bucket: Any
) -> None:
    serve("a-broken-one", temperature=0.0, accuracy=0.9)
    for labels in stores.lake().keys("labels/model=a-broken-one/"):
        bucket.put_object(Bucket="lake", Key=labels, Body=b"{")
    serve(MODEL, temperature=0.0, accuracy=0.7)
    _, [failure] = fanned_out.run(handler, sample("monitor"))
    assert "a-broken-one" in str(failure)
    assert stores.check_store().latest(MODEL, CheckKind.PERFORMANCE) is not None
    assert metric("LivePerformanceShortfall")[()] > 0


def test_all_censored_labels_publish_nothing_and_raise_no_alarm(
    deployed: None, sample: Sample, context: Context
) -> None:
    serve(MODEL, temperature=0.0, accuracy=0.1)
    (key,) = stores.lake().keys(f"{LABELS}/model={MODEL}/")
    rows = [{**row, "value": None, "status": "censored", "kind": None} for row in stores.lake().read_lines(key)]
    stores.lake().write_lines(key, rows)
    _, performance, estimated, _ = handler(sample("monitor"), context)["checks"]
    assert performance["verdict"] == estimated["verdict"] == "insufficient"
    assert performance["reason"] == "0 matured labels, fewer than the 200 a verdict needs"
    assert metric("LivePerformanceShortfall") == metric("EstimatedPerformanceShortfall") == {}


def test_of_too_many_label_records_a_sample_is_judged_and_every_report_names_its_share(
    deployed: None, sample: Sample, context: Context
) -> None:
    serve(MODEL, temperature=0.0, accuracy=0.7)
    whole = monitoring.monitor()
    few = replace(whole, model_checks=replace(whole.model_checks, max_bytes=80_000))
    for monitor, share in ((whole, 1.0), (few, 0.5)):
        checks = {check.kind: check for check in monitor.run(MODEL, NOW + share * timedelta(minutes=1))}
        for kind in (CheckKind.PERFORMANCE, CheckKind.JOIN_HEALTH):
            assert checks[kind].summary["sampled_share"] == share
            report = json.loads(stores.lake().read_bytes(str(checks[kind].report_key)))["report"]
            assert report["sampled_share"] == share
            assert "truncated_to" not in report
        performance, health = checks[CheckKind.PERFORMANCE].summary, checks[CheckKind.JOIN_HEALTH].summary
        assert checks[CheckKind.PERFORMANCE].verdict is Verdict.LOW
        assert abs(performance["labels"] / share - 600) <= margin(600, share)
        assert performance["value"] == pytest.approx(0.7, abs=0.1 * (share < 1))
        assert abs(health["by_status"]["final"] - 600) <= margin(600, share)
        assert health["waiting"] == 0


def test_without_time_to_read_a_day_of_label_records_the_check_says_so(deployed: None, sample: Sample) -> None:
    serve(MODEL, temperature=0.0, accuracy=0.7)
    checks = {check.kind: check for check in monitoring.monitor().run(MODEL, NOW, lambda: False)}
    performance = checks[CheckKind.PERFORMANCE]
    assert performance.verdict is Verdict.INSUFFICIENT
    assert performance.summary["truncated_to"] == "2026-03-09T00:00:00.000000Z"


def test_a_model_whose_check_hangs_has_not_kept_the_others_numbers_back(
    fanned_out: FannedOut, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed invocation sends no message: the models before and behind it are published all the same."""
    for model in ("a", "hanging", "z"):
        serve(model, temperature=0.0, accuracy=0.7)
    run = monitoring.monitor().run

    def killed(model: str, now: datetime, has_time: Callable[[], bool]) -> Any:
        if model == "hanging":
            raise SystemExit
        return run(model, now, has_time)

    monkeypatch.setattr(Monitor, "run", lambda _self, *given: killed(*given))
    handler(sample("monitor"), fanned_out.context)
    assert fanned_out.invocations.models == ["a", "hanging", "z"]
    for payload in fanned_out.invocations.payloads:
        with suppress(SystemExit):
            handler(payload, fanned_out.context)
    published = {dict(key).get("Model") for key in metric("LivePerformanceShortfall")}
    assert published == {"a", "z", None}


def test_several_models_are_one_series_of_which_the_alarm_sees_the_worst(fanned_out: FannedOut, sample: Sample) -> None:
    serve("bad", temperature=0.0, accuracy=0.7)
    serve("good", temperature=0.0, accuracy=0.95)
    fanned_out.run(handler, sample("monitor"))
    found = metric("LivePerformanceShortfall")
    assert found[()] == found[(("Model", "bad"),)] > 0
    assert (("Model", "good"),) not in found
