"""The play: a champion is trained on a day of history; hours of the calendar pass under traffic, twice where
months are played: when the model is young, and at the end of three months.
"""

import json
import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bench.cost.account import Account
from bench.cost.ageing import DENSE_DAYS, age
from bench.cost.calendar import DAY, HOUR, retraining_machine, schedules, walk
from bench.cost.events import Event
from bench.cost.scenarios import (
    APART,
    CONFIGURATION,
    FEEDBACK_AFTER,
    HISTORY_DAYS,
    HISTORY_PER_HOUR,
    MODEL,
    START,
    WARM_UP,
    Scenario,
)
from hindsight.core.times import format_time
from local.template import TEMPLATE

# In the order in which the machine calls them for a version that is promoted.
FUNCTIONS_OF_A_RUN = ("Snapshot", "Train", "Validate", "Deploy", "FinalizeRun")


@dataclass(slots=True)
class Play:
    """One scenario in an account; ``steady`` is when what counts begins."""

    account: Account
    scenario: Scenario
    rng: random.Random = field(default_factory=lambda: random.Random(7))
    number: int = 0
    steady: float = 0.0
    authorized: float = -1e9
    calls: int = 0

    def run(self, hours: int) -> None:
        """Play the history, a retraining and hours that count; where months are played, those and such hours again."""
        account = self.account
        self._configure()
        if self.scenario.a_day:
            self._history()
            account.meter.phase = "retraining"
            self._retrain("first")
            account.meter.phase = "setup"
        self._hours(HISTORY_DAYS, hours, "steady")
        if self.scenario.days:
            account.meter.phase = "ageing"
            age(self, (START + timedelta(days=HISTORY_DAYS + 1)).timestamp(), self._day(self.scenario.days))
            self._hours(self.scenario.days, hours, "aged")

    @property
    def counted(self) -> dict[str, float]:
        """The phases that count, each with its share of the three months: a window is half full while it fills."""
        if not self.scenario.days:
            return {"steady": 1.0}
        young = DENSE_DAYS / 2 / self.scenario.days
        return {"steady": young, "aged": 1 - young}

    @property
    def last(self) -> str:
        """The phase of the hours that were played last."""
        return list(self.counted)[-1]

    def _day(self, number: int) -> float:
        return (START + timedelta(days=number)).timestamp()

    def _hours(self, day: int, hours: int, phase: str) -> None:
        """Play a while that does not count, and the hours that do."""
        account = self.account
        begin = account.now = self._day(day) + 6 * HOUR
        account.meter.phase = "setup"
        self.steady = begin + HOUR
        end = self.steady + hours * HOUR
        self._schedules(begin, end)
        if self.scenario.a_day:
            self._traffic(self.steady - WARM_UP, end)
        account.run_until(self.steady)
        account.meter.phase = phase
        account.meter.series.clear()
        account.run_until(end)

    def daily(self) -> None:
        """Play the daily schedules."""
        self.account.meter.phase = "daily"
        for name, arn, seconds in schedules(self.account):
            if seconds >= DAY:
                self.account.invoke(arn, self._tick(), kind=f"daily {name}")
        self.account.run_until(self.account.now + 60)

    def whole_calls(self, hours: int, phase: str) -> float:
        """Compute by how much the calls made in the hours that count missed those that a day's share makes."""
        made = sum(one.phase == phase and one.kind == "calls" for one in self.account.meter.invocations)
        due = 2 * self.scenario.a_day / self.scenario.items_a_call * hours * HOUR / DAY
        return due / made if made else 1.0

    # ── Calls ───────────────────────────────────────────────────────────────────────────────────────────────────────
    def call(self, route: str, folder: str, body: Event) -> Event:
        """Make one call of the API and return the answer's body. Raises RuntimeError for an error."""
        account = self.account
        if account.now - self.authorized > self._authorizer_ttl():
            self.authorized = account.now
            event = sample("authorize")
            keys = dict(
                pair.split("=")
                for pair in self.account.functions[self.arn("Authorize")].environment["AUDIENCE_KEYS"].split(",")
            )
            event["headers"] = {"x-api-key": f"value-of-{keys['app']}"}
            account.invoke(self.arn("Authorize"), event)
        event = sample(folder)
        event["pathParameters"] = {**(event.get("pathParameters") or {}), "model": MODEL}
        event["path"] = route
        event["body"], event["isBase64Encoded"] = json.dumps(body), False
        event["headers"] = {**event["headers"], "Content-Type": "application/json"}
        event["multiValueHeaders"] = {"Content-Type": ["application/json"]}
        event["requestContext"]["requestTimeEpoch"] = int(account.now * 1000)
        answer = account.invoke(self.arn(camel(folder)), event)
        sent = len(answer["body"].encode()) + 400
        account.meter.book("calls", account.now, {"api_calls": 1, "out_gb": sent / 1e9})
        self.calls += 1
        if answer["statusCode"] >= 300:
            msg = f"{folder} answered {answer['statusCode']}: {answer['body'][:500]}\n{''.join(account.out.newest)}"
            raise RuntimeError(msg)
        answered: Event = json.loads(answer["body"])
        return answered

    def _authorizer_ttl(self) -> float:
        for rest in self.account.deployment.of("AWS::ApiGateway::RestApi").values():
            for definition in rest["Body"]["components"]["securitySchemes"].values():
                authorizer = definition.get("x-amazon-apigateway-authorizer", {})
                if "authorizerResultTtlInSeconds" in authorizer:
                    return float(authorizer["authorizerResultTtlInSeconds"])
        msg = "the API has no authorizer"
        raise LookupError(msg)

    def arn(self, name: str) -> str:
        """Find a function's address by its name in the template."""
        return next(arn for arn, found in self.account.functions.items() if found.name == name)

    def _configure(self) -> None:
        self.call(f"/models/{MODEL}", "configure_model", CONFIGURATION)

    def _instances(self, count: int) -> list[Event]:
        made = []
        for _ in range(count):
            self.number += 1
            features: Event = {f"amount_{number}": round(self.rng.gauss(50, 20), 2) for number in range(6)}
            features |= {f"kind_{number}": self.rng.choice(["basic", "plus", "team"]) for number in range(3)}
            features["returning"] = self.rng.random() < 0.5
            made.append({"prediction_id": f"order-{self.number:09d}", "features": features})
        return made

    def _events(self, instances: list[Event]) -> list[Event]:
        return [
            {
                "feedback_id": f"paid-{one['prediction_id']}",
                "prediction_id": one["prediction_id"],
                "name": "outcome",
                "value": int(one["features"]["amount_0"] + self.rng.gauss(0, 10) > 50),
            }
            for one in instances
        ]

    def _history(self) -> None:
        for hour in range(HISTORY_DAYS * 24):
            self.account.run_until(START.timestamp() + hour * HOUR)
            instances = self._instances(HISTORY_PER_HOUR)
            logged = [{**one, "score": round(self.rng.random(), 3), "model_version": "before"} for one in instances]
            self.call(f"/models/{MODEL}/predictions", "log_predictions", {"predictions": logged})
            self.account.run_until(self.account.now + FEEDBACK_AFTER)
            self.call(f"/models/{MODEL}/feedback", "capture_feedback", {"events": self._events(instances)})
        self.account.run_until(self.account.now + 2 * HOUR)
        self.account.invoke(self.arn("CloseWindows"), self._tick())
        self.account.run_until(self.account.now + HOUR / 2)

    def _traffic(self, begin: float, end: float) -> None:
        pause = DAY / (self.scenario.a_day / self.scenario.items_a_call)
        moment = begin
        while moment < end:
            self.account.at(moment, lambda: self._predict(end))
            moment += pause

    def predicted(self, count: int) -> list[Event]:
        """Send instances to the champion in one call, and list the events that follow."""
        instances = self._instances(count)
        self.call(f"/models/{MODEL}/predict", "predict", {"instances": instances})
        return instances

    def _predict(self, end: float) -> None:
        instances = self.predicted(self.scenario.items_a_call)
        later = self.account.now + FEEDBACK_AFTER + APART
        if later < end:
            self.account.at(later, lambda: self.notified(instances))

    def notified(self, instances: list[Event]) -> None:
        """Send the feedback of instances, in one call."""
        self.call(f"/models/{MODEL}/feedback", "capture_feedback", {"events": self._events(instances)})

    # ── The clock and the machine ───────────────────────────────────────────────────────────────────────────────────
    def _schedules(self, begin: float, end: float) -> None:
        for name, arn, seconds in schedules(self.account):
            moment = begin + 1.0
            while seconds < DAY and moment < end:
                self.account.at(moment, self._ticking(name, arn))
                moment += seconds

    def _ticking(self, name: str, arn: str) -> Any:
        def tick() -> None:
            self.account.meter.book(f"clock {name}", self.account.now, {"scheduled_invocations": 1})
            event = sample("predict_keep_warm") if name.endswith("KeepWarm") else self._tick()
            event["time"] = format_time(self.account.moment)
            self.account.invoke(arn, event)

        return tick

    def tick_now(self, arn: str) -> None:
        """Invoke a function now, as its schedule does."""
        self.account.invoke(arn, self._tick())

    def _tick(self) -> Event:
        return {**sample("monitor"), "time": format_time(self.account.moment)}

    def _retrain(self, reason: str) -> int:
        """Request a run as an operator does, and walk the machine's happy path."""
        self.account.started.clear()
        self.call(f"/models/{MODEL}/retrain", "request_retraining", {"reason": reason, "force": True})
        if not self.account.started:
            self.account.invoke(self.arn("CheckTriggers"), self._tick())
        run = self.account.started[-1]

        def step(name: str, event: Event) -> Any:
            return self.account.invoke(self.arn(name), {**run, **event}, kind=f"retraining {name}")

        ready = step("Snapshot", {})
        if ready["status"] != "ready":
            msg = f"the snapshot is {ready}"
            raise RuntimeError(msg)
        trained = [
            step("Train", {"dataset_id": ready["dataset_id"], "candidate": candidate})
            for candidate in ready["candidates"]
        ]
        judged = step("Validate", {"dataset_id": ready["dataset_id"], "trained": trained})
        promoted = judged["verdict"] == "promote"
        if promoted:
            step("Deploy", {"version": judged["version"], "entered_at": format_time(self.account.moment)})
        outcome = "promoted" if promoted else "rejected"
        step("FinalizeRun", {"outcome": outcome, "version": judged["version"]})
        walked = [name for name in FUNCTIONS_OF_A_RUN if promoted or name != "Deploy"]
        transitions, announced = walk(retraining_machine(self.account.deployment), walked, len(trained))
        events = {"state_transitions": transitions, "custom_events": announced, "sns_publishes": announced}
        self.account.meter.book("retraining machine", self.account.now, events)
        return transitions


def sample(folder: str) -> Event:
    """Load a function's sample event."""
    found: Event = json.loads((TEMPLATE.parent / f"events/{folder}.json").read_text(encoding="utf-8"))
    return found


def camel(folder: str) -> str:
    """Name the function of a folder.

    >>> camel("capture_feedback")
    'CaptureFeedback'
    """
    return "".join(word.capitalize() for word in folder.split("_"))
