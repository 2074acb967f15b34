import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.request_retraining.app import handler
from hindsight.bootstrap import clients, labelling, stores
from hindsight.core.times import hour_of
from hindsight.labels.archiving.new_label_counts import MINUTES, NewLabel, arrivals_of
from hindsight.labels.archiving.new_labels import SETTLES_AFTER
from hindsight.testing.builders.configuration import configuration
from tests.functions.conftest import Context
from tests.ports import forget_ports

Sample = Callable[[str], dict[str, Any]]
Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def ask(executions: Callable[[], list[str]], sample: Sample, context: Context) -> Ask:
    """Send a request's body to the model of the sample."""
    triggers = {"min_new_labels": 0, "cooldown": "P1D"}
    stores.configurations().put(configuration(triggers=triggers), datetime(2026, 3, 1, tzinfo=UTC))

    def send(body: Any = None, request_id: str | None = None, **changes: Any) -> tuple[int, dict[str, Any]]:
        event = sample("request_retraining") | changes
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        if request_id is not None:
            event["requestContext"]["requestId"] = request_id
        answer = handler(event, context)
        return answer["statusCode"], json.loads(answer["body"])

    return send


def test_the_sample_request_starts_a_run(ask: Ask, executions: Callable[[], list[str]]) -> None:
    status, answer = ask()
    assert (status, answer["triggered"], answer["blocked_by"]) == (202, True, [])
    assert answer["explanation"] == "Retrains because a run was requested (the summer timetable begins)."
    assert set(answer) == {"decision_id", "triggered", "blocked_by", "explanation"}
    assert executions() == [answer["decision_id"]]
    [decision] = stores.trigger_store().decisions("bike-demand", 10)
    assert decision.actor == "key:operator"
    assert decision.at == datetime(2026, 3, 8, 12, 30, tzinfo=UTC)
    [request] = decision.active_signals
    assert (request.kind, request.reason) == ("manual", "the summer timetable begins")


def test_a_second_request_during_the_run_is_kept_and_says_why(ask: Ask) -> None:
    ask()
    status, answer = ask({"reason": "again", "force": True}, request_id="r2")
    [blocker] = answer["blocked_by"]
    assert (status, answer["triggered"], blocker["code"]) == (202, False, "open_run")
    assert blocker["reason"] in answer["explanation"]
    assert "manual" in stores.trigger_store().load("bike-demand").pending_signals
    assert len(stores.trigger_store().decisions("bike-demand", 10)) == 2


def test_a_trusted_client_says_when_the_request_was_made(ask: Ask) -> None:
    ask({"reason": "replay", "occurred_at": "2011-03-01T00:00:00Z"})
    assert stores.trigger_store().decisions("bike-demand", 1)[0].at == datetime(2011, 3, 1, tzinfo=UTC)


def test_another_clients_time_changes_nothing(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENT_TIMESTAMPS", "bounded")
    forget_ports()
    ask({"reason": "replay", "occurred_at": "2011-03-01T00:00:00Z"})
    assert stores.trigger_store().decisions("bike-demand", 1)[0].at.year == 2026


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": 7}, "reason"),
        ({"reason": "x", "force": "yes"}, "force"),
        ({"reason": "x", "occurred_at": "yesterday"}, "occurred_at"),
        ({"reason": "x", "why": "y"}, "why"),
        ([], ""),
    ],
)
def test_a_malformed_request_names_its_path_and_leaves_nothing(ask: Ask, body: Any, path: str) -> None:
    status, answer = ask(body)
    assert (status, answer["error"]["code"]) == (400, "invalid")
    assert [detail["path"] for detail in answer["error"]["details"]] == [path]
    assert stores.trigger_store().decisions("bike-demand", 10) == []


def test_an_unknown_model_is_not_found(ask: Ask) -> None:
    status, answer = ask(path="/models/unknown/retrain")
    assert (status, answer["error"]["code"]) == (404, "not_found")


def test_a_request_reads_nothing_of_the_lake_however_many_labels_there_are(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime(2026, 3, 8, 12, tzinfo=UTC)
    for number in range(200):
        row = {"prediction_id": f"p{number}", "seq": 1, "value": 1}
        stores.lake().write_lines(f"labels/model=bike-demand/date=2026-03-08/{number}.jsonl.gz", [row])
        label = NewLabel("bike-demand", f"p{number}", moment, moment)
        labelling.new_labels().note([label])
    calls: list[str] = []
    clients.s3().meta.events.register("before-call.s3", lambda model, **_: calls.append(model.name))

    ask()

    [decision] = stores.trigger_store().decisions("bike-demand", 1)
    assert (decision.new_labels, calls) == (200, [])


def test_a_count_takes_few_calls_with_a_hundred_thousand_labels_a_day_behind_it(ask: Ask) -> None:
    """Ninety days of 100,000 labels: settled days, and a day that can still be delivered again."""
    now, store = datetime(2026, 3, 8, 12, 30, tzinfo=UTC), stores.new_label_store()
    settled = hour_of(now - SETTLES_AFTER)
    for number in range(1, 91):
        store.add("bike-demand", (now - timedelta(days=number)).date(), settled - timedelta(hours=1), [69] * MINUTES)
    store.advance("bike-demand", settled=settled)
    for number in range(26 * 60):
        moment = settled + timedelta(minutes=number)
        store.note(arrivals_of(NewLabel("bike-demand", f"p{number}-{at}", moment, moment) for at in range(69)))
    labelling.new_labels().condense("bike-demand", now)
    calls: list[str] = []
    clients.dynamodb().meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))

    counted = labelling.new_labels().count(
        "bike-demand", since=now - timedelta(days=60), as_of=now, window=timedelta(days=90)
    )

    assert counted >= 59 * 69 * MINUTES
    # The marks; days, stale hours, hours that are summed up, arrivals since.
    assert sorted(calls) == ["BatchGetItem", *["Query"] * 4]
