"""Calls of the local commands to a stack: what is tried again, and what a failure says."""

from typing import Any

import pytest
import requests

from local.client import CallFailed, StackClient
from local.state import Stack

STACK = Stack("http://stack", "us-east-1", "hindsight", "http://stack/v1/", {"operator": "o"}, {})


class Session:
    """A session that answers as scripted."""

    def __init__(self, *answers: tuple[int, str] | Exception) -> None:
        self.answers = list(answers)

    def request(self, _method: str, _url: str, **_request: Any) -> requests.Response:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code, response._content = answer[0], answer[1].encode()
        return response


def called(monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, str] | Exception, attempts: int = 3) -> Any:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    session: Any = Session(*answers)
    return StackClient(STACK, attempts, session).call("GET", "models/m", key="operator")


def test_lost_connection_and_throttling_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert called(monkeypatch, requests.ConnectionError(), (429, "{}"), (200, '{"model": "m"}')) == {"model": "m"}


def test_stack_that_stays_away_is_a_failed_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CallFailed, match="GET http://stack/v1/models/m has no answer: ConnectTimeout"):
        called(monkeypatch, *[requests.ConnectTimeout()] * 3)


def test_refused_call_carries_its_message_and_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    body = '{"error": {"code": "invalid", "message": "two", "details": [{"path": "a", "message": "is required"}]}}'
    with pytest.raises(CallFailed, match=r"^GET /models/m answered 400 invalid: two$") as failed:
        called(monkeypatch, (400, body))
    assert [(fault.path, fault.message) for fault in failed.value.faults] == [("a", "is required")]


@pytest.mark.parametrize("body", ["<html>", "[]", '{"message": "Forbidden"}'])
def test_answer_of_another_shape_is_shown_as_it_came(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CallFailed) as failed:
        called(monkeypatch, (403, body))
    assert failed.value.message == f"GET /models/m answered 403: {body}"
