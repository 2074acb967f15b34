"""A tick of the clock by hand: what is invoked, and what is said of it."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from hindsight.testing.aws.lake import InMemoryLake
from local import tick as ticking
from local.client import StackClient
from local.tick import models_of, tick

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANSWERS = {
    "CloseWindows": {"examined": 3, "is_complete": True},
    "Monitor": {"checks": [{"kind": "drift", "verdict": "insufficient", "reason": "12 of 500 rows"}]},
    "EvaluateRollouts": {"evaluations": []},
    "CheckTriggers": {"decisions": [{"decision_id": "d1", "triggered": True}]},
}
RUN = {"decision_id": "d1", "outcome": "promoted", "outcome_version": "v1", "outcome_reason": "passed the gate"}


class FakeClient:
    """A stack of two models, one of them retired, whose run is over at once."""

    def __init__(self) -> None:
        self.lake = InMemoryLake()
        self.ticked: list[tuple[str, datetime, str]] = []

    def call(self, _method: str, path: str, **_request: Any) -> Any:
        if path.startswith("models?"):
            states = {"churn": "serving", "old": "retired"} if "next_token" in path else {"bikes": "no_version"}
            page = {"models": [{"model": name, "state": state} for name, state in states.items()]}
            return page if "next_token" in path else page | {"next_token": "t"}
        if path.endswith("decisions?limit=20"):
            return {"decisions": [RUN]}
        return {
            "last_evaluation": {"explanation": "Retrains because of it."},
            "waiting_for_approval": None,
            "waiting_for_version": None,
        }

    def run_schedule(self, function: str, now: datetime, model: str) -> Any:
        self.ticked.append((function, now, model))
        return ANSWERS[function]

    def run_status(self, _decision_id: str) -> str:
        return "SUCCEEDED"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    monkeypatch.setattr(ticking, "_CALM_SECONDS", 0.0)
    return FakeClient()


def test_tick_invokes_the_loop_for_one_model_and_prints_a_line_each(client: FakeClient) -> None:
    lines = list[str]()
    tick(cast(StackClient, client), "churn", NOW, lines.append)
    assert client.ticked == [(name, NOW, "churn") for name in ANSWERS]
    assert lines == [
        "labels    3 predictions whose window closed",
        "checks    drift: insufficient (12 of 500 rows)",
        "rollouts  none to evaluate",
        "triggers  Retrains because of it.",
        "run       promoted v1: passed the gate",
    ]


def test_retired_models_are_not_ticked(client: FakeClient) -> None:
    assert models_of(cast(StackClient, client)) == ["bikes", "churn"]
