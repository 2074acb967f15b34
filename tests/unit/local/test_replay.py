"""Replays against a stack that answers at once, and the ticks they advance by."""

import io
import json
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from hindsight.config.labels import Labels, Rule
from hindsight.core.times import parse_time
from hindsight.labels.joining.effects import FeedbackEffect
from hindsight.lake.object_store import LABELS, PREDICTIONS, day_prefix
from hindsight.monitoring.label_health.feedback_effects import FeedbackEffects
from hindsight.profiles.logs.log_profiler import LogProfiler
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.configurations import InMemoryConfigurations
from local.client import CallFailed, StackClient
from local.replay.replay import BOOTSTRAP_VERSION, Replay, ReplayResult, ticks
from local.replay.replay_file import report_late_outcomes
from local.replay.spec import InvalidSpec
from local.replay.stream import Row, Stream
from local.replay.summary import print_feedback
from tests.unit.local.files import START, configuration, spec

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def row(position: int, occurred_at: datetime, outcome: Any = 1, delay: timedelta = DAY) -> Row:
    features: dict[str, Any] = {"x": 1.0, "kind": "a", "flag": True}
    return Row(f"row-{position}", features, occurred_at, outcome, occurred_at + delay, None, None)


@given(st.lists(st.integers(0, 24 * 40), max_size=60).map(sorted), st.integers(1, 24 * 9))
def test_every_row_is_in_one_tick_and_ticks_follow_evenly(hours: list[int], every: int) -> None:
    rows = [row(position, START + hour * HOUR) for position, hour in enumerate(hours)]
    found = list(ticks(rows, START, every * HOUR))
    assert [row for _, batch in found for row in batch] == rows
    moments = [now for now, _ in found]
    assert moments[:1] in ([], [START + every * HOUR])
    assert {later - earlier for earlier, later in pairwise(moments)} <= {every * HOUR}
    assert all(now - every * HOUR <= row.occurred_at < now for now, batch in found for row in batch)
    assert not found or found[-1][1]


class InstantStack:
    """Stores what it is sent in the lake at once; its version serves from the first retraining on."""

    def __init__(self) -> None:
        self.lake = InMemoryLake()
        self.profiler = LogProfiler(self.lake, InMemoryConfigurations(configuration()), pause=lambda _: None)
        self.calls: list[tuple[str, Any]] = []
        self.schedules: list[tuple[str, datetime]] = []
        self.version: str | None = None
        self.promotes = True
        self.fires_on: set[datetime] = set()
        self.endings: dict[str, dict[str, Any]] = {}
        self.waited_for: list[str] = []
        self.past_decisions: list[Any] = []
        self.said: list[str] = []

    def call(self, method: str, path: str, *, key: str, **request: Any) -> Any:
        what = path.partition("?")[0].split("/", 2)[2] if path.count("/") > 1 else "configuration"
        body = request["json"] if "json" in request else json.loads(request.get("data", b"null"))
        self.calls.append((what, body))
        return getattr(self, f"_{what}")(body)

    def run_schedule(self, function: str, now: datetime, model: str) -> Any:
        assert model == "m"
        self.schedules.append((function, now))
        if function != "CheckTriggers":
            return {}
        triggered = now in self.fires_on
        return {"decisions": [{"model": "m", "decision_id": f"at {now:%d}", "triggered": triggered}]}

    def run_status(self, decision_id: str) -> str:
        self.waited_for.append(decision_id)
        if decision_id != "first":
            self.version = "v1"
        return "SUCCEEDED"

    def _configuration(self, body: Any) -> Any:
        return {"model": "m", "revision": 1, "effects": [{"code": "short", "message": "the window is short"}]}

    def _predictions(self, body: Any) -> Any:
        self._keep(PREDICTIONS, body["predictions"])
        return {"accepted": [item["prediction_id"] for item in body["predictions"]], "rejected": []}

    def _predict(self, body: Any) -> Any:
        self._keep(PREDICTIONS, body["instances"])
        answers = [
            {"prediction_id": item["prediction_id"], "decision": 1, "score": 0.9, "model_version": self.version}
            for item in body["instances"]
        ]
        return {"predictions": answers}

    def _feedback(self, body: Any) -> Any:
        self._keep(LABELS, [{**event, "seq": 1} for event in body["events"]])
        return {"accepted": [event["feedback_id"] for event in body["events"]], "rejected": []}

    def _retrain(self, body: Any) -> Any:
        self.version = "v1" if self.promotes else None
        outcome, reason = ("promoted", None) if self.promotes else ("rejected", "roc_auc is 0.5")
        self.past_decisions = [{"decision_id": "first", "outcome": outcome, "outcome_reason": reason}]
        return {"decision_id": "first", "triggered": True}

    def _decisions(self, body: Any) -> Any:
        ended = [{"decision_id": name, **ending} for name, ending in self.endings.items() if name in self.waited_for]
        return {"decisions": [*self.past_decisions, *ended]}

    def _deployments(self, body: Any) -> Any:
        return {"deployments": [{"to": self.version}] if self.version else []}

    def _versions(self, body: Any) -> Any:
        return {"versions": [{"version": "v1", "gate": {"verdict": "reject"}}]}

    def _keep(self, kind: str, items: list[dict[str, Any]]) -> None:
        for item in items:
            prefix = day_prefix(kind, "m", parse_time(item["occurred_at"]).date())
            key = f"{prefix}{item['prediction_id']}.jsonl"
            self.lake.write_lines(key, [{"model_version": "v1", **item}])
            if kind == PREDICTIONS:
                assert not self.profiler.profile([key]).failures


@pytest.fixture
def stack() -> InstantStack:
    return InstantStack()


def replay(stack: InstantStack, rows: list[Row], **changes: Any) -> ReplayResult:
    described = spec(**{"bootstrap": {"days": 2}, **changes})
    replayed = Replay(cast(StackClient, stack), described, configuration(), rows, stack.said.append)
    return replayed.run(lambda done, now: None)


def hourly(count: int, **changes: Any) -> list[Row]:
    return [row(position, START + position * HOUR, **changes) for position in range(count)]


def test_the_beginning_is_logged_and_the_rest_is_predicted(stack: InstantStack) -> None:
    result = replay(stack, hourly(120))
    logged = [item for what, body in stack.calls if what == "predictions" for item in body["predictions"]]
    assert {item["model_version"] for item in logged} == {BOOTSTRAP_VERSION}
    assert (len(logged), len(result.replayed), len(result.answers)) == (48, 72, 72)
    assert set(result.versions.values()) == {"v1"}


def test_the_first_training_sees_no_outcome_that_was_not_known_then(stack: InstantStack) -> None:
    replay(stack, hourly(120))
    before = stack.calls[: [what for what, _ in stack.calls].index("retrain")]
    events = [event for what, body in before if what == "feedback" for event in body["events"]]
    assert len(events) == 24
    assert all(parse_time(event["occurred_at"]) < START + 2 * DAY for event in events)


def test_every_outcome_is_sent_once_and_its_label_read_also_after_the_last_row(stack: InstantStack) -> None:
    result = replay(stack, hourly(120, delay=10 * DAY))
    sent = [event["prediction_id"] for what, body in stack.calls if what == "feedback" for event in body["events"]]
    assert sorted(sent) == sorted(result.outcomes_sent) == sorted(row.prediction_id for row in result.rows)
    assert result.labels == dict.fromkeys(sent, 1)


def test_a_row_without_an_outcome_is_predicted_and_never_reported(stack: InstantStack) -> None:
    result = replay(stack, [*hourly(60), row(60, START + 60 * HOUR, outcome=None)])
    assert "row-60" in result.answers
    assert "row-60" not in result.outcomes_sent


def test_the_scheduled_functions_run_in_their_order_at_every_tick(stack: InstantStack) -> None:
    replay(stack, hourly(24 * 4), check_every="P1D")
    checks = [entry for entry in stack.schedules[1:] if entry[1] <= START + 4 * DAY]
    in_order = ("CloseWindows", "Monitor", "EvaluateRollouts", "CheckTriggers")
    expected = [(name, START + days * DAY) for days in (3, 4) for name in in_order]
    assert checks == expected


def test_a_run_that_fires_is_waited_for(stack: InstantStack) -> None:
    stack.fires_on = {START + 3 * DAY}
    replay(stack, hourly(24 * 4))
    assert stack.waited_for == ["first", "at 13"]


def test_ends_of_runs_are_said_once_while_they_are_alike(stack: InstantStack) -> None:
    stack.fires_on = {START + days * DAY for days in (3, 4, 5)}
    endings = [("rejected", "worse: by 0.1"), ("rejected", "worse: by 0.2"), ("promoted", None)]
    stack.endings = {
        f"at {START + days * DAY:%d}": {"outcome": outcome, "outcome_reason": reason}
        for days, (outcome, reason) in zip((3, 4, 5), endings, strict=True)
    }

    replay(stack, hourly(24 * 5))

    assert stack.said[1:] == ["2026-01-12  promoted", "2026-01-13  rejected: worse: by 0.1", "2026-01-15  promoted"]


def test_replay_goes_on_without_a_model_until_a_version_passes(stack: InstantStack) -> None:
    stack.promotes, stack.fires_on = False, {START + 3 * DAY}

    result = replay(stack, hourly(120), check_every="P1D")

    assert stack.said == [
        "the window is short",
        "no version serves yet, and the replay goes on without one: the run was rejected: roc_auc is 0.5",
        "2026-01-13  at 13 is not finished",
    ]
    assert (result.unanswered, len(result.answers)) == (24, 48)
    logged = [
        item["prediction_id"] for what, body in stack.calls if what == "predictions" for item in body["predictions"]
    ]
    assert len(logged) == 48 + 24


def test_a_model_that_was_trained_on_the_stack_before_is_refused(stack: InstantStack) -> None:
    stack.past_decisions = [{"decision_id": "past"}]

    with pytest.raises(CallFailed, match="has trained 'm' before"):
        replay(stack, hourly(120))

    assert "predictions" not in [what for what, _ in stack.calls]


@pytest.mark.parametrize("bootstrap", [{"days": 400}, {"rows": 120}])
def test_a_bootstrap_beyond_the_file_is_refused_before_anything_is_sent(
    stack: InstantStack, bootstrap: dict[str, int]
) -> None:
    with pytest.raises(InvalidSpec, match="bootstrap"):
        replay(stack, hourly(120), bootstrap=bootstrap)

    assert stack.calls == []


@pytest.mark.parametrize(
    ("effects", "said"),
    [
        ({FeedbackEffect.COUNTED: 5}, ""),
        (
            {FeedbackEffect.COUNTED: 5, FeedbackEffect.DUPLICATE: 1, FeedbackEffect.UNMATCHED_RULE: 2},
            "3 of 8 events change no label: 2 have a name or value that no rule reads, 1 were sent before, alike\n",
        ),
    ],
)
def test_replay_ends_with_the_feedback_that_had_no_effect_by_cause(
    effects: dict[FeedbackEffect, int], said: str
) -> None:
    console = Console(record=True, width=200, file=io.StringIO())
    print_feedback(FeedbackEffects(START, Counter(effects)), console)
    assert console.export_text() == said


@pytest.mark.parametrize(("days", "late"), [([1, 2], 0), ([1, 2, 3, 40], 2)])
def test_replay_says_before_it_begins_how_many_outcomes_come_after_every_window(days: list[int], late: int) -> None:
    console = Console(record=True, width=200, file=io.StringIO())
    labels = Labels(rules=(Rule(event="y", window=2 * DAY),))
    rows = [row(place, START, delay=count * DAY) for place, count in enumerate(days)]

    report_late_outcomes(Stream(rows=[*rows, row(9, START, outcome=None, delay=90 * DAY)]), labels, console)

    said = console.export_text()
    assert said.startswith(f"{late} of 4 outcomes come later than P2D" if late else "")
    assert said.endswith("a window of P40D would take them\n" if late else "")
    assert bool(said) is bool(late)
