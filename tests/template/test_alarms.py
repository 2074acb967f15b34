"""Alarms watch metrics that exist, do something, and can be tuned where an operator would."""

from typing import Any

import pytest

from hindsight.monitoring.results.alarm_metrics import ALARM_METRICS
from local.stack import SIMULATED_TIME, by_the_clock
from local.transformed import deployment
from tests.template.metric_names import embedded_metrics, is_among

Resources = dict[str, dict[str, Any]]

ON_MODELS = {"PerformanceTopic", "OperationsTopic"}


def of_hindsight(alarms: Resources) -> Resources:
    return {name: alarm for name, alarm in alarms.items() if alarm["Namespace"] == "Hindsight"}


def actions(alarm: dict[str, Any]) -> set[str]:
    return {action["Ref"] for action in alarm["AlarmActions"]}


def test_what_is_watched_over_all_models_has_an_alarm_without_dimensions(alarms: Resources) -> None:
    overall = {alarm["MetricName"] for alarm in of_hindsight(alarms).values() if "Dimensions" not in alarm}
    assert overall == set(ALARM_METRICS)


def test_what_functions_count_is_watched_with_the_dimension_powertools_adds(
    template: dict[str, Any], alarms: Resources
) -> None:
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    counted = {name: alarm for name, alarm in of_hindsight(alarms).items() if "Dimensions" in alarm}
    assert set(counted) == {
        "FeedbackQuarantinedAlarm",
        "LabelFinalizationLagAlarm",
        "UnusableVersionAlarm",
        "VersionRolledBackAlarm",
    }
    for name, alarm in counted.items():
        assert alarm["Dimensions"] == [{"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}], name
        assert is_among(alarm["MetricName"], embedded_metrics()), name


def test_bad_performance_and_drift_ask_the_triggers_and_tell_people(alarms: Resources) -> None:
    assert actions(alarms["LivePerformanceAlarm"]) == actions(alarms["DriftAlarm"]) == ON_MODELS
    asking = {name for name, alarm in alarms.items() if "PerformanceTopic" in actions(alarm)}
    assert asking == {"LivePerformanceAlarm", "DriftAlarm"}


def test_every_alarm_says_what_it_means_and_but_for_missing_sweeps_is_quiet_without_data(alarms: Resources) -> None:
    for name, alarm in alarms.items():
        assert alarm["AlarmDescription"], name
        assert name == "LabelSweepsMissingAlarm" or alarm["TreatMissingData"] == "notBreaching", name


@pytest.mark.parametrize(("state", "treatment"), [("ENABLED", "breaching"), ("DISABLED", "notBreaching")])
def test_labels_that_no_sweep_comes_to_are_an_alarm_where_the_clock_runs(state: str, treatment: str) -> None:
    parameters = SIMULATED_TIME | by_the_clock({"ScheduleState": state})
    alarm = deployment(parameters).of("AWS::CloudWatch::Alarm")["LabelSweepsMissingAlarm"]
    assert alarm["TreatMissingData"] == treatment
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == ("Sum", "LessThanThreshold", 1)


def test_alarm_of_missing_sweeps_waits_for_several_of_them(alarms: Resources, functions: Resources) -> None:
    """Each period holds three sweeps: one that is late or fails is none of its business."""
    alarm = alarms["LabelSweepsMissingAlarm"]
    [schedule] = functions["CloseWindowsFunction"]["Events"].values()
    assert schedule["Properties"]["ScheduleExpression"] == "cron(4/5 * * * ? *)"
    assert alarm["Period"] >= 3 * 300
    assert alarm["EvaluationPeriods"] * alarm["Period"] == 3600
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "CloseWindowsFunction"}}]
    assert "OperationsTopic" in actions(alarm)


def test_thresholds_an_operator_tunes_are_parameters_with_limits(template: dict[str, Any], alarms: Resources) -> None:
    tuned = {
        alarm["MetricName"]: template["Parameters"][alarm["Threshold"]["Ref"]]
        for alarm in alarms.values()
        if isinstance(alarm["Threshold"], dict)
    }
    assert set(tuned) == {"LivePerformanceShortfall", "LabelFreshnessSeconds", "FeedbackQuarantined"}
    for name, parameter in tuned.items():
        assert parameter["MinValue"] <= parameter["Default"] <= parameter["MaxValue"], name


def test_an_alarm_over_all_models_sees_each_model_s_newest_number_until_its_next_has_come(alarms: Resources) -> None:
    """Each model is checked in an invocation of its own, some minutes earlier or later from hour to hour."""
    of_models = [alarm for alarm in of_hindsight(alarms).values() if "Dimensions" not in alarm]
    assert {(alarm["Statistic"], alarm["EvaluationPeriods"]) for alarm in of_models} == {("Maximum", 1)}
    assert all(alarm["Period"] >= 3600 + 900 for alarm in of_models)


def test_one_interrupted_sweep_of_labels_is_no_alarm(alarms: Resources) -> None:
    """Its one data point lies in one of the two periods that must both be late."""
    alarm = alarms["LabelFinalizationLagAlarm"]
    assert (alarm["Statistic"], alarm["EvaluationPeriods"]) == ("Maximum", 2)
    assert alarm["Threshold"] == alarm["Period"] == 900
