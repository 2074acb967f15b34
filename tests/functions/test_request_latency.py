"""Waiting times of operators in an account, with ninety data sets behind a model: counted calls at their slowest."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from bench.processor import processor_seconds, steady_seconds
from bench.request_latency import MODEL, Past
from functions.configure_model.app import handler as configure
from functions.get_model.app import handler as report
from functions.request_retraining.app import handler as retrain
from hindsight.bootstrap import clients
from hindsight.core.times import hour_of
from hindsight.labels.archiving.new_label_counts import NewLabel, arrivals_of
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.testing.predictions.new_labels import InMemoryNewLabels
from local.state import Stack
from tests.functions.requests import send

NOW = datetime.now(UTC)
# Seconds of one call in an account, at their slowest, and of a virtual processor that 512 MB have.
SLOWEST = {"dynamodb": 0.015, "s3": 0.04, "stepfunctions": 0.04}
PROCESSOR = 0.29


class InProcess:
    """A stack whose routes are its handlers, called here."""

    def __init__(self) -> None:
        outputs = {"ModelsTable": "models", "PredictionsTable": "predictions"}
        self.stack = Stack("", "eu-west-1", "stack", "", {}, outputs)

    def aws(self, service: str) -> Any:
        return boto3.client(service)  # type: ignore[call-overload]

    def call(self, method: str, path: str, *, key: str, json: Any = None) -> Any:
        handler, sample = {"PUT": (configure, "configure_model"), "POST": (retrain, "request_retraining")}.get(
            method, (report, "get_model")
        )
        status, answer = send(handler, sample, json, path=f"/{path}", httpMethod=method)
        assert status < 300, answer
        return answer


def test_an_answer_waits_for_less_than_a_second_of_calls_and_none_of_the_lake(
    executions: Callable[[], list[str]],
) -> None:
    past = Past(InProcess(), NOW)  # type: ignore[arg-type]
    past.configure()
    past.keep_labels(200)
    past.keep_datasets(90)
    waited: list[str] = []
    for client in (clients.dynamodb(), clients.s3(), clients.client("stepfunctions")):
        client.meta.events.register("before-call", lambda model, **_: waited.append(model.service_model.service_name))

    answers = {}
    for name, request in {"retrain": past.ask, "explain": past.explain}.items():
        waited.clear()
        answers[name] = request()
        assert "s3" not in waited
        # Of a hundred thousand labels a day two pages more are read.
        assert 0 < sum(SLOWEST[service] for service in [*waited, "dynamodb", "dynamodb"]) < 1

    assert answers["retrain"]["blocked_by"][0]["code"] == "min_new_labels"
    assert len(answers["explain"]["datasets"]) == len(answers["explain"]["versions"]) == 90
    assert answers["explain"]["all_datasets_searched"] is True


def test_counting_a_hundred_thousand_labels_a_day_takes_less_than_a_second_of_a_small_function() -> None:
    store, start = InMemoryNewLabels(), hour_of(NOW) - timedelta(hours=26)
    for slot in range(26 * 60 * 4):
        arrived = start + slot * timedelta(seconds=15)
        store.note(arrivals_of(NewLabel(MODEL, f"{slot}-{number}", arrived, arrived) for number in range(18)))

    def count() -> None:
        assert NewLabels(store).count(MODEL, since=None, as_of=NOW, window=timedelta(days=90)) == 26 * 60 * 4 * 18

    assert steady_seconds(lambda: processor_seconds(count), PROCESSOR) < PROCESSOR
