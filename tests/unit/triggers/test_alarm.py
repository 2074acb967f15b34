import json
from pathlib import Path
from typing import Any

import pytest

from hindsight.core.errors import InvalidInput
from hindsight.monitoring.results.check import Verdict
from hindsight.runtime.events.alarms import parse_alarm
from hindsight.testing.models.check_store import InMemoryChecks
from hindsight.triggers.evaluation.alarm import Alarm, alarm_moment, alarm_signal, checks_behind, concerns
from hindsight.validation.timestamps import ClientTimestamps
from tests.unit.triggers.builders import HOUR, NOW, drift, performance


def message(**changes: Any) -> str:
    body = {
        "AlarmName": "low",
        "NewStateValue": "ALARM",
        "NewStateReason": "crossed",
        "StateChangeTime": "2026-03-01T13:00:00.000+0000",
        "Trigger": {"MetricName": "LivePerformanceShortfall", "Dimensions": []},
    }
    return json.dumps(body | changes)


DRIFT_ALARM = message(Trigger={"MetricName": "DriftDetected", "Dimensions": []})


def checks() -> InMemoryChecks:
    store = InMemoryChecks()
    store.put(performance())
    return store


def affected(alarm: Alarm, store: InMemoryChecks) -> list[str]:
    return [model for model in ("bike", "car") if concerns(alarm, model, store)]


def test_alarm_carries_the_time_of_its_change() -> None:
    alarm = parse_alarm(message())
    assert alarm.rings
    assert alarm.changed_at == NOW + HOUR
    assert not parse_alarm(message(NewStateValue="INSUFFICIENT_DATA")).rings


@pytest.mark.parametrize("text", ["", "hello", "[]", "{}", message(StateChangeTime=None)])
def test_another_message_is_invalid(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_alarm(text)


@pytest.mark.parametrize(
    "trigger",
    [
        {"Dimensions": [{"name": "ModelVersion", "value": "v1"}, {"name": "Model", "value": "car"}]},
        {"Dimensions": [{"Name": "Model", "Value": "car"}]},
        {"Metrics": [{"Id": "e"}, {"MetricStat": {"Metric": {"Dimensions": [{"name": "Model", "value": "car"}]}}}]},
    ],
)
def test_an_alarm_on_one_models_metric_speaks_of_that_model(trigger: dict[str, Any]) -> None:
    alarm = parse_alarm(message(Trigger=trigger))
    assert affected(alarm, checks()) == ["car"]
    assert not concerns(alarm, "bike", checks())


def test_an_alarm_on_all_models_speaks_of_those_that_are_low() -> None:
    store = checks()
    assert affected(parse_alarm(message()), store) == ["bike"]
    store.put(performance(Verdict.OK))
    assert affected(parse_alarm(message()), store) == []


@pytest.mark.parametrize("verdict", [Verdict.OK, Verdict.SUSPECT])
def test_an_alarm_on_all_models_drift_speaks_of_those_that_drift(verdict: Verdict) -> None:
    store = checks()
    store.put(drift(verdict))
    assert affected(parse_alarm(DRIFT_ALARM), store) == []
    store.put(drift(Verdict.DRIFT, NOW + HOUR))
    found = parse_alarm(DRIFT_ALARM)
    assert affected(found, store) == ["bike"]
    assert [check.at for check in checks_behind(found, "bike", store)] == [NOW + HOUR]


def test_alarm_on_a_foreign_metric_concerns_every_model_with_bad_checks() -> None:
    other = parse_alarm(message(Trigger={"MetricName": "Complaints", "Dimensions": []}))
    store = checks()
    assert affected(other, store) == ["bike"]
    store.put(performance(Verdict.OK))
    store.put(drift())
    assert affected(other, store) == ["bike"]


def test_alarms_over_all_models_leave_the_signal_to_the_policy() -> None:
    assert alarm_signal(parse_alarm(DRIFT_ALARM), NOW) is None
    assert alarm_signal(parse_alarm(message()), NOW) is None


@pytest.mark.parametrize("metric", ["DriftDetected", "LivePerformanceShortfall", "Complaints"])
def test_operator_s_alarm_on_one_model_is_a_signal_for_any_metric(metric: str) -> None:
    of_one = message(Trigger={"MetricName": metric, "Dimensions": [{"name": "Model", "value": "bike"}]})
    assert alarm_signal(parse_alarm(of_one), NOW) is not None


def test_alarm_on_a_foreign_metric_is_a_signal() -> None:
    assert alarm_signal(parse_alarm(message(Trigger={"MetricName": "Complaints", "Dimensions": []})), NOW) is not None


def test_in_a_replay_an_alarm_belongs_to_the_check_that_set_it_off() -> None:
    alarm = parse_alarm(message())
    assert alarm_moment(alarm, [performance()], ClientTimestamps.TRUSTED) == NOW
    assert alarm_moment(alarm, [performance()], ClientTimestamps.BOUNDED) == NOW + HOUR
    assert alarm_moment(alarm, [], ClientTimestamps.TRUSTED) == NOW + HOUR


def test_the_samples_alarm_can_be_read() -> None:
    event = json.loads((Path(__file__).parents[3] / "events" / "check_triggers_alarm.json").read_text())
    assert parse_alarm(event["Records"][0]["Sns"]["Message"]).rings
