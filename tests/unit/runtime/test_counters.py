import json
from typing import Any

import pytest
from aws_lambda_powertools import Metrics

from hindsight.runtime.counters import count


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(namespace="Hindsight", service="hindsight")


def records(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


def test_counters_of_one_record_share_its_dimensions_and_zeros_are_left_out(
    metrics: Metrics, capsys: pytest.CaptureFixture[str]
) -> None:
    count(metrics, {"Accepted": 3, "Rejected": 0}, Model="bike")
    (record,) = records(capsys)
    assert (record["Accepted"], record["Model"], "Rejected" in record) == ([3.0], "bike", False)


def test_all_zero_counters_write_nothing_and_leave_no_dimension_behind(
    metrics: Metrics, capsys: pytest.CaptureFixture[str]
) -> None:
    count(metrics, {"Rejected": 0}, Model="bike")
    count(metrics, {"Behind": 1})
    (record,) = records(capsys)
    assert record["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
