"""The story of the demo: a model of another team, around which Hindsight closes the loop."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hindsight.core.times import format_time
from local.client import CallFailed, StackClient
from local.outside.servers import OutsideServer
from local.outside.trainer import Trainer
from local.outside.world import EVENT, START, Delivery
from local.replay.arrivals import Arrivals
from local.replay.clock import tick
from local.run_end import describe_run, wait_for_run

FIRST_VERSION = "v1"
WINDOW = timedelta(days=1)
CHECK_EVERY = 2
"""Days from one tick of the clock to the next: a stack checks every hour, a demo of five minutes cannot."""
_CALL = 250


@dataclass(slots=True)
class DemoRecord:
    """The deliveries asked about, the answers, the complaints, and the labels that came of them."""

    asked: list[Delivery] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    complaints: set[str] = field(default_factory=set)
    labels: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """The days of the demo: how many, and on which of them the world changes and people make their mistakes."""

    days: int
    drift_day: int
    leak_day: int
    old_file_day: int


class Story:
    """One run of the demo; ``run`` may be called once."""

    def __init__(
        self,
        client: StackClient,
        model: str,
        server: OutsideServer,
        trainer: Trainer,
        say: Callable[[str], None],
    ) -> None:
        self._client, self._model, self._server, self._trainer, self._say = client, model, server, trainer, say
        self._arrivals = Arrivals(client.lake, model)
        self._record = DemoRecord()
        self._moves, self._trained = 0, 0

    def run(self, deliveries: list[Delivery], plan: Plan) -> DemoRecord:
        """Let the days pass. Raises CallFailed if the stack or the server refuses something."""
        by_day: list[list[Delivery]] = [[] for _ in range(plan.days)]
        for one in deliveries:
            by_day[(one.occurred_at - START).days].append(one)
        complaints = sorted((one for one in deliveries if one.is_late), key=lambda one: one.reported_at)
        for day, asked in enumerate(by_day):
            now = START + timedelta(days=day + 1)
            self._ask(asked)
            if day % CHECK_EVERY != CHECK_EVERY - 1:
                continue
            complaints = self._complain(complaints, now)
            self._tick(now)
            if day == plan.leak_day:
                self._ask_for_retraining(now)
            if day == plan.old_file_day:
                self._promote_an_old_file(now)
        end = START + timedelta(days=plan.days) + WINDOW
        self._complain(complaints, end)
        self._client.run_schedule("CloseWindows", end, self._model)
        self._arrivals.wait_for_labels((one.prediction_id for one in deliveries), (START, end))
        self._record.labels = {name: value for name, (_, value) in self._arrivals.labels.items()}
        return self._record

    def _ask(self, asked: list[Delivery]) -> None:
        """Ask the outside server, which logs what it answers."""
        for start in range(0, len(asked), _CALL):
            instances = [_instance(one) for one in asked[start : start + _CALL]]
            for decision in self._server.decide(instances):
                self._record.answers[decision["prediction_id"]] = decision
        self._record.asked += asked
        span = asked[0].occurred_at, asked[-1].occurred_at
        self._arrivals.wait_for_predictions((one.prediction_id for one in asked), span)

    def _complain(self, complaints: list[Delivery], now: datetime) -> list[Delivery]:
        """Send the complaints made before now, each by its customer; return those that come later."""
        made = [one for one in complaints if one.reported_at < now]
        for start in range(0, len(made), _CALL):
            events = [_complaint(one) for one in made[start : start + _CALL]]
            receipt = self._client.call("POST", f"models/{self._model}/feedback", key="app", json={"events": events})
            if receipt["rejected"]:
                raise CallFailed(f"a complaint was refused: {receipt['rejected'][0]}")
        self._record.complaints |= {one.prediction_id for one in made}
        if made:
            self._arrivals.wait_for_labels((one.prediction_id for one in made), (made[0].reported_at, now + WINDOW))
        return complaints[len(made) :]

    def _tick(self, now: datetime) -> None:
        """Let the scheduled functions act, and answer the run that asks for a version."""
        for run in tick(self._client, self._arrivals, self._model, now):
            self._say(f"{now:%d %B}: a run asks for a version ({run})")
            self._answer(run, self._trainer.answer)
        self._tell_moves()

    def _answer(self, decision_id: str, train: Callable[[str], str]) -> None:
        """Let a version be trained once the run waits for it, and wait for the run's end."""
        wait_for_run(self._client, decision_id, self._is_asked)
        if self._is_asked():
            self._trained += 1
            self._say(f"  the script: {train(f'v{self._trained + 1}')}")
            wait_for_run(self._client, decision_id)
        self._say(f"  the run: {describe_run(self._client, self._model, decision_id)}")

    def _is_asked(self) -> bool:
        return self._client.call("GET", f"models/{self._model}", key="operator")["waiting_for_version"] is not None

    def _ask_for_retraining(self, now: datetime) -> None:
        """Ask for a retraining, and answer it by a version that was trained on what it is judged by."""
        body = {"reason": "a new script", "occurred_at": format_time(now), "force": True}
        decision = self._client.call("POST", f"models/{self._model}/retrain", key="operator", json=body)
        self._say(f"{now:%d %B}: a person asks for a version, and the script has seen the holdout's answers")
        truths = {one.prediction_id: one for one in self._record.asked}
        self._answer(decision["decision_id"], lambda version: self._trainer.forge(version, truths))

    def _promote_an_old_file(self, now: datetime) -> None:
        """Promote a version by hand whose file is an old one, of before the drift."""
        self._trained += 1
        version = f"v{self._trained + 1}"
        self._trainer.make(version, has_drifted=False)
        expected = {"accuracy": 0.88}
        body = {"version": version, "description": "smaller and quicker", "expected": expected}
        self._client.call("POST", f"models/{self._model}/versions", key="operator", json=body)
        reason = {"reason": "it is quicker", "occurred_at": format_time(now)}
        self._client.call("POST", f"models/{self._model}/versions/{version}/promote", key="operator", json=reason)
        self._say(f"{now:%d %B}: a person promotes {version}, which no gate has judged")
        self._tell_moves()

    def _tell_moves(self) -> None:
        """Print the moves of the pointer that are new."""
        found = self._client.call("GET", f"models/{self._model}/deployments?limit=100", key="operator")["deployments"]
        for move in found[::-1][self._moves :]:
            self._say(f"  {move['change']} {move.get('challenger') or move['to']}: {move['reason']}")
        self._moves = len(found)


def _instance(one: Delivery) -> dict[str, Any]:
    return {
        "prediction_id": one.prediction_id,
        "entity_id": one.customer,
        "features": one.features,
        "occurred_at": format_time(one.occurred_at),
    }


def _complaint(one: Delivery) -> dict[str, Any]:
    return {
        "feedback_id": f"{one.prediction_id}-late",
        "entity_id": one.customer,
        "name": EVENT,
        "occurred_at": format_time(one.reported_at),
    }
