"""A failing batch of a shard: it is split, continued where the function says, and given up in the end."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import lambda_svc

from bench.account.mode import shards
from bench.account.mode.shards import Shard
from tests.account.conftest import eventually

MAPPING = {
    "EventSourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/things/stream/now",
    "BatchSize": 8,
    "MaximumRetryAttempts": 2,
    "BisectBatchOnFunctionError": True,
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
}


class Function:
    """A function that fails at some records, whole or by name, and has no room for its first calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *poison: str) -> None:
        self.poison, self.names_what_failed, self.no_room_for = set(poison), False, 0
        self.calls: list[list[str]] = []
        self.given_up: list[tuple[str, list[str]]] = []
        monkeypatch.setattr(lambda_svc, "_execute_function", self.execute)
        monkeypatch.setattr(lambda_svc, "_send_ddb_stream_failure_record", self.give_up)
        monkeypatch.setattr(shards, "_BACK_OFF_SECONDS", 0.001)

    def execute(self, _: Any, event: dict[str, Any]) -> dict[str, Any]:
        if self.no_room_for:
            self.no_room_for -= 1
            return {"throttle": True, "error": True}
        numbers = numbers_of(event["Records"])
        self.calls.append(numbers)
        failed = [number for number in numbers if number in self.poison]
        if failed and not self.names_what_failed:
            return {"error": True}
        return {"body": {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}}

    def give_up(self, _mapping: Any, _func: Any, records: Any, _arn: str, _result: Any, reason: str) -> None:
        self.given_up.append((reason, numbers_of(records)))


def numbers_of(records: list[dict[str, Any]]) -> list[str]:
    return [record["dynamodb"]["SequenceNumber"] for record in records]


def read(function: Function, count: int, last: str) -> Iterator[str]:
    """Have a shard read so many records, until the last is dealt with; yield what was processed, in order."""
    shard = Shard(dict(MAPPING), lambda: {"name": "function"}, pace=1.0)
    shard.add([record(str(number)) for number in range(count)])
    threading.Thread(target=shard.run, daemon=True).start()
    eventually(lambda: any(last in call for call in function.calls) and not shard._waiting)
    eventually(lambda: len(function.given_up) == len(function.poison))
    for call in function.calls:
        yield from (number for number in call if not function.poison & set(call))


def record(number: str) -> dict[str, Any]:
    created = 4_000_000_000
    return {"dynamodb": {"SequenceNumber": number, "Keys": {"pk": {"S": "a"}}, "ApproximateCreationDateTime": created}}


def test_batch_that_fails_whole_is_split_until_its_poison_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    function = Function(monkeypatch, "5")
    processed = list(read(function, 8, "7"))
    assert processed == ["0", "1", "2", "3", "4", "6", "7"]
    assert function.given_up == [("RetryAttemptsExhausted", ["5"])]
    assert function.calls.count(["5"]) == 1 + MAPPING["MaximumRetryAttempts"]


def test_batch_is_retried_from_the_item_that_the_function_names(monkeypatch: pytest.MonkeyPatch) -> None:
    function = Function(monkeypatch, "2")
    function.names_what_failed = True
    list(read(function, 4, "3"))
    assert function.calls[:2] == [["0", "1", "2", "3"], ["2", "3"]]
    assert function.given_up == [("RetryAttemptsExhausted", ["2"])]
    assert function.calls[-1] == ["3"]


def test_shard_waits_for_room_and_loses_no_attempt_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    function = Function(monkeypatch)
    function.no_room_for = 5
    assert list(read(function, 3, "2")) == ["0", "1", "2"]
    assert function.calls == [["0", "1", "2"]]
