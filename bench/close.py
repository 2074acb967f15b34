"""The time of a closed loop: from labels arriving to a new version that serves, on a separate stack.

A champion serves. The world changes; 10,000 predictions of the new world are logged, then their outcomes are sent, and
the clock runs until a call of ``predict`` is answered by the version trained on them. The check of the triggers is made
as soon as the labels are in the lake: on AWS its schedule adds up to an hour, and the feedback stream its buffer
(parameter ``FeedbackBufferSeconds``), which the embedded AWS does not have.
"""

import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from hindsight.core.times import format_time
from local.client import CallFailed, StackClient
from local.replay.arrivals import Arrivals
from local.stack import running_stack

MODEL = "closing"
FEATURES = 20
ROWS = 10_000
SEED = 7
OLD, NEW = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
DAYS = 5
WINDOW = timedelta(days=1)
_MAX_EVENTS = 500
_PREDICTIONS_A_CALL = 250
_PATIENCE_SECONDS = 300.0
_PAUSE_SECONDS = 0.1
_POINTER_SECONDS = 5.0
NAMES = [f"x{number}" for number in range(FEATURES)]


def configuration(volume: int) -> dict[str, Any]:
    """Build the model's configuration; a number of new labels triggers a run."""
    return {
        "model": MODEL,
        "task": "binary",
        "features": {name: {"type": "numeric"} for name in NAMES},
        "labels": {"rules": [{"event": "outcome", "kind": "outcome", "window": "P1D", "aggregate": "last"}]},
        "triggers": {"schedule": None, "volume": volume, "drift": False, "performance": False, "cooldown": "PT1H"},
        "training": {"window": "P10D"},
    }


@dataclass(frozen=True, slots=True)
class Row:
    """A prediction and what comes of it."""

    prediction_id: str
    features: dict[str, float]
    occurred_at: datetime
    outcome: int


def measure(rows: int = ROWS, seed: int = SEED) -> dict[str, Any]:
    """Measure the seconds from the first label sent to the new version serving, by state."""
    folder = Path(tempfile.mkdtemp(prefix="close-"))
    try:
        with running_stack(folder) as stack:
            closing = ClosedLoop(StackClient(stack), seed)
            # The first version does the warming up: its labels and its run start every process that the second needs.
            closing.close(closing.make("old", OLD, rows // 5, 1.0), by_hand=True)
            return {**closing.close(closing.make("new", NEW, rows, -1.0)), "rows": rows, "seed": seed}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class ClosedLoop:
    """The loop of one model, closed again and again."""

    def __init__(self, client: StackClient, seed: int, volume: int = ROWS // 2) -> None:
        self._client = client
        self._rng = random.Random(seed)
        self._arrivals = Arrivals(client.lake, MODEL)
        client.call("PUT", f"models/{MODEL}", key="operator", json=configuration(volume))

    def make(self, name: str, start: datetime, count: int, sign: float) -> list[Row]:
        """Draw rows of one world, spread over some days; the outcome follows with the sign given."""
        rows = []
        for number in range(count):
            features = {feature: round(self._rng.gauss(0, 1), 4) for feature in NAMES}
            signal = sign * (features["x0"] + 0.5 * features["x1"]) + self._rng.gauss(0, 0.5)
            moment = start + number * timedelta(days=DAYS) / count
            rows.append(Row(f"{name}-{number:06d}", features, moment, int(signal > 0)))
        return rows

    def close(self, rows: list[Row], *, by_hand: bool = False) -> dict[str, Any]:
        """Log rows, then measure from their first label sent until a version trained on them answers."""
        now = rows[-1].occurred_at + WINDOW + timedelta(hours=2)
        self.log(rows)
        before = self._serving()
        started = time.perf_counter()
        self.send_outcomes(rows)
        sent = time.perf_counter()
        self.wait_for_labels(rows)
        labelled = time.perf_counter()
        decision = self._ask(now) if by_hand else self._check_triggers(now)
        decided = time.perf_counter()
        version = self._wait_for_version(before, decision)
        serving = time.perf_counter()
        return {
            "close_seconds": round(serving - started, 1),
            "send_seconds": round(sent - started, 1),
            "label_seconds": round(labelled - sent, 1),
            "check_seconds": round(decided - labelled, 1),
            "run_seconds": round(serving - decided, 1),
            "states": self._states(decision),
            "version": version,
        }

    def log(self, rows: list[Row]) -> None:
        """Log predictions, and wait until the lake and its profiles have them."""
        for portion in _portions(rows, _PREDICTIONS_A_CALL):
            body = [
                {
                    "prediction_id": row.prediction_id,
                    "features": row.features,
                    "score": 0.5,
                    "model_version": "elsewhere",
                    "occurred_at": format_time(row.occurred_at),
                }
                for row in portion
            ]
            self._post("predictions", {"predictions": body})
        span = rows[0].occurred_at, rows[-1].occurred_at
        self._arrivals.wait_for_predictions((row.prediction_id for row in rows), span)
        self._arrivals.wait_for_profiles()

    def send_outcomes(self, rows: list[Row]) -> None:
        """Send what came of some rows."""
        for portion in _portions(rows, _MAX_EVENTS):
            body = [
                {
                    "feedback_id": f"{row.prediction_id}-outcome",
                    "prediction_id": row.prediction_id,
                    "name": "outcome",
                    "value": row.outcome,
                    "occurred_at": format_time(row.occurred_at + timedelta(hours=1)),
                }
                for row in portion
            ]
            self._post("feedback", {"events": body})

    def _post(self, path: str, body: dict[str, Any]) -> None:
        receipt = self._client.call("POST", f"models/{MODEL}/{path}", key="app", json=body)
        if receipt["rejected"]:
            raise CallFailed(f"{path} were rejected: {receipt['rejected'][:3]}")

    def wait_for_labels(self, rows: list[Row]) -> None:
        """Wait until every row has a label in the lake. Raises CallFailed."""
        span = rows[0].occurred_at, rows[-1].occurred_at + 2 * WINDOW
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._arrivals.wait_for_labels((row.prediction_id for row in rows), span):
            if time.monotonic() > deadline:
                raise CallFailed("the labels do not reach the lake")

    def _check_triggers(self, now: datetime) -> str:
        (decision,) = self._client.run_schedule("CheckTriggers", now, MODEL)["decisions"]
        if not decision["triggered"]:
            raise CallFailed(f"no run was started: {decision['explanation']}")
        return str(decision["decision_id"])

    def _ask(self, now: datetime) -> str:
        request = {"reason": "the first version", "occurred_at": format_time(now), "force": True}
        answer = self._client.call("POST", f"models/{MODEL}/retrain", key="operator", json=request)
        return str(answer["decision_id"])

    def _wait_for_version(self, before: str | None, decision: str) -> str:
        deadline, ended = time.monotonic() + _PATIENCE_SECONDS, None
        while (version := self._serving()) in {None, before}:
            status = self._client.run_status(decision)
            if status not in {None, "RUNNING"} and ended is None:
                ended = time.monotonic()
            # A busy instance of predict reads the pointer twice a second: for so long the version before may answer.
            if ended is not None and time.monotonic() > ended + _POINTER_SECONDS:
                newest = self._client.call("GET", f"models/{MODEL}/versions", key="operator")["versions"][:1]
                raise CallFailed(f"the run is {status}, and no version of it serves: {newest}")
            if time.monotonic() > deadline:
                raise CallFailed(f"the run does not end; it is {status}")
            time.sleep(_PAUSE_SECONDS)
        return str(version)

    def _serving(self) -> str | None:
        asked = {"instances": [{"features": dict.fromkeys(NAMES, 0.1)}]}
        try:
            [answer] = self._client.call("POST", f"models/{MODEL}/predict", key="app", json=asked)["predictions"]
        except CallFailed as failure:
            if " no_model: " in failure.message:
                return None
            raise
        return str(answer["model_version"])

    def _states(self, decision: str) -> dict[str, float]:
        """Sum up the seconds of each state of a run, those of a map's items together."""
        machine = self._client.stack.outputs["RetrainingStateMachine"]
        arn = machine.replace(":stateMachine:", ":execution:") + f":{decision}"
        pages = self._client.aws("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
        begun: dict[str, datetime] = {}
        seconds: dict[str, float] = {}
        for event in (event for page in pages for event in page["events"]):
            if "stateEnteredEventDetails" in event:
                begun[event["stateEnteredEventDetails"]["name"]] = event["timestamp"]
            elif "stateExitedEventDetails" in event:
                name = event["stateExitedEventDetails"]["name"]
                seconds[name] = round(seconds.get(name, 0) + (event["timestamp"] - begun[name]).total_seconds(), 2)
        return {name: spent for name, spent in seconds.items() if spent >= _PAUSE_SECONDS}


def _portions(rows: list[Row], size: int) -> Iterator[list[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


if __name__ == "__main__":
    Console().print(measure())
