from pathlib import Path
from typing import Any

from hindsight.bootstrap.fan_out import RESERVED_MILLISECONDS
from hindsight.core.fan_out import MAX_STARTS_PER_SECOND
from hindsight.datasets.building.verification_requests import ENDS_WITHIN

Resources = dict[str, dict[str, Any]]

ROOT = Path(__file__).parents[2]
ASYNCHRONOUS = {"ScheduleV2", "Schedule", "SNS", "EventBridgeRule", "S3"}


def events(functions: Resources, *kinds: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, event["Properties"])
        for name, function in functions.items()
        for event in function.get("Events", {}).values()
        if event["Type"] in kinds
    ]


def dead_letter_queues(queues: Resources, functions: Resources) -> set[str]:
    redriven = [queue["RedrivePolicy"]["deadLetterTargetArn"] for queue in queues.values() if "RedrivePolicy" in queue]
    invoked = [function["EventInvokeConfig"] for function in functions.values() if "EventInvokeConfig" in function]
    streamed = [event for _, event in events(functions, "DynamoDB")]
    destinations = [config["DestinationConfig"]["OnFailure"]["Destination"] for config in [*invoked, *streamed]]
    return {reference["Fn::GetAtt"][0] for reference in [*redriven, *destinations]}


def test_every_asynchronous_function_has_an_on_failure_destination(functions: Resources) -> None:
    for name, _ in events(functions, *ASYNCHRONOUS):
        assert functions[name]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Type"] == "SQS", name


def test_verification_has_failed_once_no_attempt_can_be_at_work(functions: Resources) -> None:
    function = functions["VerifyDatasetFunction"]
    seconds = function["EventInvokeConfig"]["MaximumEventAgeInSeconds"] + function["Timeout"]
    assert seconds == ENDS_WITHIN.total_seconds()


def test_every_schedule_has_a_dead_letter_queue_and_can_be_switched_off(functions: Resources) -> None:
    schedules = events(functions, "ScheduleV2")
    assert {name for name, _ in schedules} == {
        "CloseWindowsFunction",
        "ExpireReviewsFunction",
        "CompactLabelsFunction",
        "PackObjectsFunction",
        "MonitorFunction",
        "PredictFunction",
        "CheckTriggersFunction",
        "ExpireVersionsFunction",
        "EvaluateRolloutsFunction",
    }
    for name, schedule in schedules:
        assert "DeadLetterConfig" in schedule, name
        assert schedule["State"] == {"Ref": "ScheduleState"}, name
        # Without an input the scheduler sends a scheduled event with its time.
        assert "Input" not in schedule, name


def test_every_queue_mapping_reports_single_failures_and_its_queue_redrives(
    functions: Resources, queues: Resources
) -> None:
    mappings = events(functions, "SQS")
    assert mappings
    for name, mapping in mappings:
        queue = queues[mapping["Queue"]["Fn::GetAtt"][0]]
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 3, name


def test_work_that_goes_on_sends_itself_the_next_message_and_to_no_other_queue(template: dict[str, Any]) -> None:
    continuing = {
        "JoinLabelsFunction": "FeedbackFilesQueue",
        "ReplayQuarantineFunction": "ReplayQueue",
        "ImportFilesFunction": "ImportFilesQueue",
        "EraseSubjectFunction": "ErasureQueue",
    }
    for name, queue in continuing.items():
        properties = template["Resources"][name]["Properties"]
        (mapping,) = properties["Events"].values()
        assert mapping["Properties"]["Queue"] == {"Fn::GetAtt": [queue, "Arn"]}
        assert mapping["Properties"]["BatchSize"] == 1, name
        sent = [
            statement
            for statement in properties["Policies"][0]["Statement"]
            if "sqs:SendMessage" in statement["Action"]
        ]
        assert [statement["Resource"] for statement in sent] == [{"Fn::GetAtt": [queue, "Arn"]}]
        assert {"Ref": queue} in properties["Environment"]["Variables"].values()


def test_every_stream_mapping_halves_failing_batches_and_keeps_permanent_failures(functions: Resources) -> None:
    mappings = events(functions, "DynamoDB")
    assert {name for name, _ in mappings} == {"ArchivePredictionsFunction", "ArchiveLabelsFunction"}
    for name, mapping in mappings:
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
        assert mapping["BisectBatchOnFunctionError"] is True, name
        assert mapping["MaximumRetryAttempts"] > 0, name
        assert mapping["DestinationConfig"]["OnFailure"]["Type"] == "SQS", name
        assert mapping["FilterCriteria"]["Filters"], name


def test_a_function_that_goes_on_by_its_own_queue_or_starts_itself_is_not_taken_for_a_runaway_loop(
    functions: Resources,
) -> None:
    going_on = {name for name, function in functions.items() if function.get("RecursiveLoop") == "Allow"}
    queued = {"JoinLabelsFunction", "ReplayQuarantineFunction", "ImportFilesFunction", "EraseSubjectFunction"}
    assert going_on == queued | working_on_every_model(functions)


def working_on_every_model(functions: Resources) -> set[str]:
    """List the scheduled functions; the one that keeps an instance of predict warm works on no model."""
    return {name for name, _ in events(functions, "ScheduleV2")} - {"PredictFunction"}


def test_every_scheduled_function_gives_each_model_an_invocation_and_may_start_itself_alone(
    template: dict[str, Any], functions: Resources
) -> None:
    for name in working_on_every_model(functions):
        handler = (ROOT / functions[name]["CodeUri"] / "app.py").read_text(encoding="utf-8")
        assert "@one_invocation_a_model(" in handler, name
        policy = template["Resources"][f"{name.removesuffix('Function')}FanOutPolicy"]["Properties"]
        assert policy["Roles"] == [{"Ref": f"{name}Role"}], name
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Action"], statement["Resource"]) == (
            "lambda:InvokeFunction",
            {"Fn::GetAtt": [name, "Arn"]},
        )
        # A thousand starts at ten a second, and what is kept back to hand the rest on.
        seconds = 1000 / MAX_STARTS_PER_SECOND + RESERVED_MILLISECONDS / 1000
        assert functions[name]["Timeout"] >= seconds, name


def test_every_dead_letter_queue_has_an_alarm_with_a_recipient(
    queues: Resources, alarms: Resources, functions: Resources
) -> None:
    watched = {
        dimension["Value"]["Fn::GetAtt"][0]
        for alarm in alarms.values()
        for dimension in alarm.get("Dimensions", [])
        if dimension["Name"] == "QueueName" and alarm["AlarmActions"]
    }
    named = {name for name in queues if "DeadLetter" in name}
    assert dead_letter_queues(queues, functions) <= named
    assert watched == named


def test_every_alarm_has_an_action(alarms: Resources) -> None:
    assert alarms
    assert all(alarm["AlarmActions"] for alarm in alarms.values())
