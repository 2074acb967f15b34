"""Settings that keep the lake's objects few."""

from typing import Any

import pytest

from hindsight.labels.archiving.existing_predictions import MAX_UNCHECKED_AGE
from hindsight.review.selection.state import MAX_ROWS
from local.intrinsics import Evaluation, Place
from local.stack import SIMULATED_TIME, by_the_clock
from local.template import load_template, resources_of
from local.transformed import transformed

Resources = dict[str, dict[str, Any]]
SECONDS_A_DAY = 86_400
SHARDS = 4
MAX_A_DAY = 2_000
# What SQS holds a message back for at most, in seconds.
LONGEST_DELAY = 900


def archivers(functions: Resources) -> list[dict[str, Any]]:
    """List the mappings of the functions that write a stream's batches to the lake."""
    names = ("ArchivePredictionsFunction", "ArchiveLabelsFunction")
    return [
        event["Properties"]
        for name in names
        for event in functions[name]["Events"].values()
        if event["Type"] == "DynamoDB"
    ]


def test_a_new_table_s_shards_write_few_objects_a_day(template: dict[str, Any], functions: Resources) -> None:
    window = template["Parameters"]["ArchiveWindowSeconds"]
    mappings = archivers(functions)
    assert len(mappings) == 2
    assert all(found["MaximumBatchingWindowInSeconds"] == {"Ref": "ArchiveWindowSeconds"} for found in mappings)
    assert (window["MinValue"], window["MaxValue"]) == (0, 300)
    assert 60 <= window["Default"] <= 300
    assert SHARDS * SECONDS_A_DAY / window["Default"] <= MAX_A_DAY


def test_batch_ends_at_the_limit_of_lambda_or_of_the_review_selection(
    functions: Resources,
) -> None:
    predictions, labels = archivers(functions)
    assert labels["BatchSize"] == 10_000
    assert 1_000 <= predictions["BatchSize"] <= MAX_ROWS // 2


def test_work_that_waits_for_the_lake_does_not_wait_for_the_batching_window(template: dict[str, Any]) -> None:
    assert SIMULATED_TIME["ArchiveWindowSeconds"] == "0"
    assert set(SIMULATED_TIME) <= set(template["Parameters"])


def test_second_pass_of_an_erasure_comes_after_every_reader_of_old_data_has_ended(
    template: dict[str, Any], functions: Resources
) -> None:
    """Lambda ends runs by their timeouts, so that no function writes after the cleaning what it read before."""
    parameters = template["Parameters"]
    settling = 60 * parameters["ErasureSecondPassMinutes"]["Default"]
    default = template["Globals"]["Function"]["Timeout"]
    timeouts = {
        name: function.get("Timeout", default) for name, function in functions.items() if writes_to_the_lake(function)
    }
    assert {"PackObjectsFunction", "CompactLabelsFunction", "SnapshotFunction"} <= timeouts.keys()
    assert {name: seconds for name, seconds in timeouts.items() if seconds > settling} == {}
    archiving = max(timeouts[name] for name in ("ArchivePredictionsFunction", "ArchiveLabelsFunction"))
    assert parameters["ArchiveWindowSeconds"]["MaxValue"] + archiving <= settling
    assert parameters["FeedbackBufferSeconds"]["MaxValue"] <= settling <= LONGEST_DELAY


def test_record_that_is_archived_unchecked_is_in_the_lake_before_an_erasure_s_second_pass(
    template: dict[str, Any], functions: Resources
) -> None:
    """An older one is looked up in the table: what was erased does not come back with it."""
    window = template["Parameters"]["ArchiveWindowSeconds"]["MaxValue"]
    timeout = functions["ArchivePredictionsFunction"]["Timeout"]
    unchecked = MAX_UNCHECKED_AGE.total_seconds()
    assert window < unchecked
    assert unchecked + timeout <= 60 * template["Parameters"]["ErasureSecondPassMinutes"]["Default"]


@pytest.mark.parametrize("minutes", ["0", "5", "14"])
def test_shorter_settling_is_refused_where_the_lake_is_packed_by_the_clock(minutes: str) -> None:
    allowed = load_template()["Parameters"]["ErasureSecondPassMinutes"]["AllowedValues"]
    shorter = {"ErasureSecondPassMinutes": minutes}
    assert int(minutes) not in allowed or Evaluation(transformed(), shorter, Place()).breaks_a_rule()


def test_defaults_and_simulated_time_settle_as_the_rule_allows() -> None:
    assert not Evaluation(transformed(), {}, Place()).breaks_a_rule()
    assert not Evaluation(transformed(), SIMULATED_TIME, Place()).breaks_a_rule()


def test_stack_that_leaves_simulated_time_settles_again() -> None:
    again = SIMULATED_TIME | by_the_clock({"ScheduleState": "ENABLED"})
    assert not Evaluation(transformed(), again, Place()).breaks_a_rule()
    assert again["ClientTimestamps"] == "bounded"
    assert by_the_clock({"ScheduleState": "ENABLED", "ArchiveWindowSeconds": "60"})["ArchiveWindowSeconds"] == "60"
    assert by_the_clock(SIMULATED_TIME) == SIMULATED_TIME


def writes_to_the_lake(function: dict[str, Any]) -> bool:
    """Check whether a function may put objects anywhere in the lake."""
    statements = [one for policy in function.get("Policies", []) for one in policy["Statement"]]
    return any("s3:PutObject" in one["Action"] for one in statements)


def test_objects_are_packed_every_hour_by_a_function_that_ends_before_the_next(functions: Resources) -> None:
    function = functions["PackObjectsFunction"]
    [schedule] = function["Events"].values()
    assert schedule["Properties"]["ScheduleExpression"] == "cron(45 * * * ? *)"
    assert function["Timeout"] < 3_600


def test_every_prefix_that_is_packed_may_be_listed_read_written_and_removed(template: dict[str, Any]) -> None:
    functions = resources_of(template, "AWS::Serverless::Function")
    statements = functions["PackObjectsFunction"]["Properties"]["Policies"][0]["Statement"]
    [rights] = [found for found in statements if "s3:DeleteObject" in found["Action"]]
    assert set(rights["Action"]) == {"s3:DeleteObject", "s3:GetObject", "s3:PutObject"}
    assert [found["Fn::Sub"] for found in rights["Resource"]] == [
        "${LakeBucket.Arn}/labels/*",
        "${LakeBucket.Arn}/predictions/*",
    ]
