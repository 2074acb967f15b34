"""Alarms watch metrics that exist, do something, and can be tuned where an operator would."""

from typing import Any

from hindsight.monitoring.results.alarm_metrics import ALARM_METRICS
from hindsight.monitoring.results.findings import FINDINGS
from hindsight.rollout.evaluation.evaluator import SAMPLE_RATIO_MISMATCH
from tests.template.metric_names import embedded_metrics, is_among

Resources = dict[str, dict[str, Any]]

ON_MODELS = {"PerformanceTopic", "OperationsTopic"}


def of_hindsight(alarms: Resources) -> Resources:
    return {name: alarm for name, alarm in alarms.items() if alarm["Namespace"] == "Hindsight"}


def actions(alarm: dict[str, Any]) -> set[str]:
    return {action["Ref"] for action in alarm["AlarmActions"]}


def test_every_metric_over_all_models_has_an_alarm_without_dimensions(alarms: Resources) -> None:
    overall = {alarm["MetricName"] for alarm in of_hindsight(alarms).values() if "Dimensions" not in alarm}
    assert overall == set(ALARM_METRICS)


def test_counters_of_functions_are_watched_with_the_dimension_that_powertools_adds(
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


def test_bad_performance_and_drift_ask_the_triggers_and_notify_people(alarms: Resources) -> None:
    assert actions(alarms["LivePerformanceAlarm"]) == actions(alarms["DriftAlarm"]) == ON_MODELS
    asking = {name for name, alarm in alarms.items() if "PerformanceTopic" in actions(alarm)}
    assert asking == {"LivePerformanceAlarm", "DriftAlarm"}


def test_every_alarm_has_a_description_and_is_quiet_without_data(alarms: Resources) -> None:
    for name, alarm in alarms.items():
        assert alarm["AlarmDescription"], name
        assert alarm["TreatMissingData"] == "notBreaching", name


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


def test_findings_without_an_alarm_come_to_the_operations_topic_as_events(template: dict[str, Any]) -> None:
    rule = template["Resources"]["FindingsRule"]["Properties"]
    # Of the first two there are alarms; an estimate is blind to what inputs mean, and only announced.
    others = {"DriftDetected", "PerformanceLow", "EstimatedPerformanceLow"}
    assert set(rule["EventPattern"]["detail-type"]) == {found.event for found in FINDINGS.values()} - others | {
        SAMPLE_RATIO_MISMATCH
    }
    assert rule["EventBusName"] == {"Ref": "EventBus"}
    assert [target["Arn"] for target in rule["Targets"]] == [{"Ref": "OperationsTopic"}]
    for policy in ("OperationsTopicPolicy", "AnnouncementDeadLetterQueuePolicy"):
        (statement,) = (
            found
            for found in template["Resources"][policy]["Properties"]["PolicyDocument"]["Statement"]
            if found["Sid"] == "OnlyTheRules"
        )
        sources = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
        assert {"Fn::GetAtt": ["FindingsRule", "Arn"]} in sources
