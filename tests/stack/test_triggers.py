"""From a metric over an alarm and its topic to a decision, a run and its announcements, on a running stack."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from hindsight.adapters.aws.metric_sink import CloudWatchMetrics
from hindsight.adapters.jobs_table.relabel_table import DynamoRelabels
from hindsight.adapters.models_table.check_table import DynamoChecks
from hindsight.adapters.models_table.new_label_table import DynamoNewLabels
from hindsight.adapters.models_table.registry_table import DynamoRegistry
from hindsight.adapters.models_table.trigger_table import DynamoTriggers
from hindsight.core.jobs import JobStatus
from hindsight.core.times import format_time, hour_of
from hindsight.labels.archiving.new_label_counts import NewLabel, arrivals_of
from hindsight.labels.relabelling.job import RelabelJob
from hindsight.labels.relabelling.store import RelabelEnd
from hindsight.monitoring.results.alarm_metrics import with_overall
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.monitoring.results.measurement import Measurement
from hindsight.testing.builders.configuration import configuration, document
from hindsight.testing.builders.pointers import promoted
from hindsight.triggers.evaluation.decide import decide
from local.client import StackClient
from tests.event_schemas import require_promised
from tests.stack.waiting import eventually
from tests.unit.triggers.builders import observed, request

# Later than any replay's checks, so that no alarm here speaks of what a replay left behind.
NOW = datetime(2027, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAMESPACE = "Hindsight"
EAGER = {"cooldown": "PT0S", "min_new_labels": 0, "schedule": None, "volume": None}

Row = dict[str, Any]


def serve(client: StackClient, model: str, **triggers: Any) -> None:
    """Configure a model and put a version into service that is never asked to predict."""
    body = {**document(), "model": model, "triggers": {**EAGER, **triggers}}
    client.call("PUT", f"models/{model}", key="operator", json=body)
    registry = DynamoRegistry(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))
    registry.move_pointer(model, promoted("v1", NOW - 24 * HOUR))


def find(client: StackClient, model: str, kind: CheckKind, verdict: Verdict, at: datetime) -> None:
    """Keep a check, as the monitor does before it publishes."""
    key = f"checks/model={model}/date={at:%Y-%m-%d}/{kind}"
    check = Check(
        model=model,
        kind=kind,
        at=at,
        model_version="v1",
        verdict=verdict,
        reason=f"{kind} is {verdict}",
        report_key=f"{key}.json",
        page_key=f"{key}.html",
    )
    DynamoChecks(client.stack.outputs["ModelsTable"], client.aws("dynamodb")).put(check)


def publish(client: StackClient, alarm: str, metric: str, model: str) -> None:
    """Publish a bad number of a model, once its alarm has forgotten what other tests have set it off with."""
    watch = client.aws("cloudwatch")
    pages = watch.get_paginator("describe_alarms").paginate()
    names = [found["AlarmName"] for page in pages for found in page["MetricAlarms"]]
    (name,) = [found for found in names if f"-{alarm}" in found]
    watch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test begins")
    number = Measurement(name=metric, value=1.0, dimensions={"Model": model})
    CloudWatchMetrics(NAMESPACE, watch).publish(with_overall([number]))


def decisions(client: StackClient, model: str) -> list[Row]:
    found: list[Row] = client.call("GET", f"models/{model}/decisions", key="operator")["decisions"]
    return found


def active(decision: Row) -> list[str]:
    return [signal["kind"] for signal in decision["signals"] if signal["active"]]


def ended(client: StackClient, model: str) -> Row | None:
    """Wait for the end of the run that the newest decision started; give the decision."""
    newest = decisions(client, model)[:1]
    return newest[0] if newest and "outcome" in newest[0] else None


def test_drift_alarm_makes_the_policy_decide_and_the_run_is_announced(client: StackClient, announcements: Any) -> None:
    model = "drifting"
    serve(client, model, performance=False)
    find(client, model, CheckKind.DRIFT, Verdict.DRIFT, NOW)

    publish(client, "DriftAlarm", "DriftDetected", model)

    decision = eventually(lambda: ended(client, model))
    assert (decision["cause"], active(decision)) == ("alarm", ["drift"])
    assert decision["at"] == format_time(NOW)
    assert decision["explanation"] == "Retrains because drift was found (drift is drift)."
    assert decision["outcome"] == "skipped"  # there is nothing to learn from
    started, skipped = eventually(lambda: found if len(found := announcements(model)) == 2 else None)
    assert (started["detail-type"], skipped["detail-type"]) == ("RetrainingStarted", "RetrainingSkipped")
    for event in (started, skipped):
        require_promised(event["detail-type"], event["detail"])
        assert event["detail"]["metadata"]["correlation_id"] == decision["decision_id"]
        (signal,) = event["detail"]["data"]["signals"]
        assert signal["page_key"] == f"checks/model={model}/date=2027-06-01/drift.html"


def test_a_drift_alarm_does_not_retrain_a_model_whose_policy_asks_for_more(client: StackClient) -> None:
    model = "patient"
    serve(client, model, combine="all")
    find(client, model, CheckKind.DRIFT, Verdict.DRIFT, NOW + HOUR)

    publish(client, "DriftAlarm", "DriftDetected", model)

    (decision,) = eventually(lambda: decisions(client, model))
    assert decision["triggered"] is False
    (blocker,) = decision["blocked_by"]
    assert (blocker["code"], blocker["details"]) == ("combination", {"active": ["drift"], "needed": 2, "possible": 2})


def test_low_performance_that_an_alarm_shows_during_a_run_is_kept_and_served_after_it(client: StackClient) -> None:
    model = "low"
    serve(client, model, drift=False)
    # A run that was recorded, and that a crash kept from starting: the next evaluation starts it.
    store = DynamoTriggers(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))
    rules = configuration(triggers={**EAGER, "drift": False}).triggers
    first, running = decide(observed(NOW, policy=rules, state=store.load(model), event=request(NOW, "by hand")))
    assert store.record(first, running, 0)
    find(client, model, CheckKind.PERFORMANCE, Verdict.LOW, NOW + HOUR)

    publish(client, "LivePerformanceAlarm", "LivePerformanceShortfall", model)

    held, _ = eventually(lambda: found if len(found := decisions(client, model)) == 2 else None)
    assert (held["blocked_by"][0]["code"], held["cause"]) == ("open_run", "alarm")
    assert held["blocked_by"][0]["details"]["decision_id"] == first.decision_id
    assert active(held) == ["performance"]
    assert "performance" in store.load(model).pending_signals
    eventually(lambda: client.call("GET", f"models/{model}", key="operator")["open_run"] is None)
    (served,) = client.run_schedule("CheckTriggers", NOW + 3 * HOUR, model)["decisions"]
    assert served["triggered"]
    last = eventually(lambda: ended(client, model))
    assert (last["decision_id"], last["cause"]) == (served["decision_id"], "schedule")
    assert active(last) == ["performance"]
    evaluation = client.call("GET", f"models/{model}", key="operator")["last_evaluation"]
    assert (evaluation["at"], evaluation["triggered"]) == (format_time(NOW + 3 * HOUR), True)


def test_a_run_waits_for_a_relabelling(client: StackClient) -> None:
    model = "relabelled"
    serve(client, model, performance=False)
    find(client, model, CheckKind.DRIFT, Verdict.DRIFT, NOW)
    relabels = DynamoRelabels(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))
    job = RelabelJob(model=model, job_id="relabel-1", reason="mended", rules_revision=1, known_at=NOW, started_at=NOW)
    assert relabels.begin(job, None)  # recorded, about to start

    (held,) = client.run_schedule("CheckTriggers", NOW, model)["decisions"]
    relabels.conclude(model, job.job_id, 1, RelabelEnd(JobStatus.COMPLETED, NOW))
    (triggered,) = client.run_schedule("CheckTriggers", NOW + HOUR, model)["decisions"]

    assert (held["blocked_by"][0]["code"], triggered["triggered"]) == ("relabelling", True)
    eventually(lambda: ended(client, model))


def test_new_labels_of_an_hour_that_is_over_are_summed_up_and_counted_as_before(client: StackClient) -> None:
    model = "counted"
    serve(client, model, min_new_labels=10)
    store = DynamoNewLabels(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))
    arrived = hour_of(datetime.now(UTC)) - HOUR
    for number in range(3):
        store.note(arrivals_of([NewLabel(model, f"p{number}", arrived, NOW - HOUR)]))

    client.run_schedule("CheckTriggers", NOW, model)

    [summed] = store.hours(model, None, arrived + HOUR)
    assert (summed.hour, sum(map(sum, summed.days.values())), store.stale(model, None, arrived + HOUR)) == (
        arrived,
        3,
        [],
    )
    asked = {"reason": "a new season", "occurred_at": format_time(NOW)}
    client.call("POST", f"models/{model}/retrain", key="operator", json=asked)
    (decision,) = decisions(client, model)
    assert (decision["new_labels"], decision["blocked_by"][0]["code"]) == (3, "min_new_labels")


def test_the_page_of_a_check_opens_by_its_link_without_a_key(client: StackClient) -> None:
    model = "shown"
    serve(client, model)
    find(client, model, CheckKind.DRIFT, Verdict.OK, NOW)
    page = f"checks/model={model}/date=2027-06-01/drift.html"
    body = {"Bucket": client.stack.outputs["LakeBucket"], "Key": page, "Body": b"<h1>Drift</h1>"}
    client.aws("s3").put_object(**body, ContentType="text/html")

    link = client.call("GET", f"models/{model}", key="operator")["checks"]["drift"]["page_url"]

    assert "X-Amz-Signature" in link
    answer = requests.get(link, timeout=30)
    assert (answer.status_code, answer.text) == (200, "<h1>Drift</h1>")
    assert requests.get(link.split("?")[0], timeout=30).status_code == 403


def test_the_dashboard_is_there_and_names_the_stack_s_own_functions(client: StackClient) -> None:
    name = client.stack.outputs["DashboardUrl"].rsplit("/", 1)[1]
    body = json.loads(client.aws("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])
    shown = json.dumps(body)
    functions = [value for output, value in client.stack.outputs.items() if output.endswith("Function")]
    assert functions
    assert not [function for function in functions if f'"{function}"' not in shown]
    assert "${" not in shown
