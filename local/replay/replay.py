"""The replay of a file through a running stack in event time, as if its days were passing now."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import dump_configuration
from hindsight.core import compact_json
from hindsight.core.times import format_time
from hindsight.training.models.scoring import RowPrediction
from local.client import CallFailed, StackClient
from local.replay.arrivals import Arrivals
from local.replay.clock import tick
from local.replay.spec import ReplaySpec
from local.replay.stream import Row, bootstrap_end
from local.run_end import describe_run, wait_for_run

BOOTSTRAP_VERSION = "bootstrap"
MAX_CALL_ROWS = 250
MAX_CALL_BYTES = 2_000_000

Progress = Callable[[int, datetime], None]


@dataclass(slots=True)
class ReplayResult:
    """The record of a replay: every row, the live answer to it, and the version that gave it.

    ``unanswered`` counts the rows that came before any version served; they are logged, and learned from.
    """

    rows: list[Row]
    replayed: list[Row] = field(default_factory=list)
    answers: dict[str, RowPrediction] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    unanswered: int = 0
    labels: dict[str, Any] = field(default_factory=dict)
    outcomes_sent: set[str] = field(default_factory=set)
    seconds: float = 0.0


class Replay:
    """One replay; ``run`` may be called once."""

    def __init__(
        self,
        client: StackClient,
        spec: ReplaySpec,
        configuration: ModelConfiguration,
        rows: list[Row],
        say: Callable[[str], None],
    ) -> None:
        self._client = client
        self._spec = spec
        self._configuration = configuration
        self._model = configuration.model
        self._say = say
        self._arrivals = Arrivals(client.lake, self._model)
        self._outcomes = sorted((row for row in rows if row.outcome is not None), key=lambda row: row.known_at)
        self._next_outcome = 0
        self._has_model = False
        self._last_ending: list[str] = []
        self._result = ReplayResult(rows)

    def run(self, progress: Progress) -> ReplayResult:
        """Replay every row; return what happened. Raises CallFailed if the stack refuses something."""
        started = time.monotonic()
        rows = self._result.rows
        begin = bootstrap_end(self._spec, rows)
        document = dump_configuration(self._configuration)
        for effect in self._client.call("PUT", f"models/{self._model}", key="operator", json=document)["effects"]:
            self._say(effect["message"])
        if self._client.call("GET", f"models/{self._model}/decisions?limit=1", key="operator")["decisions"]:
            # Its predictions, labels and past runs would mix with this replay's.
            raise CallFailed(f"this stack has trained {self._model!r} before: choose another name with --as")
        bootstrap = [row for row in rows if row.occurred_at < begin]
        self._result.replayed = rows[len(bootstrap) :]
        progress(0, begin)
        self._bootstrap(bootstrap, begin)
        done = len(bootstrap)
        progress(done, begin)
        for now, batch in ticks(self._result.replayed, begin, self._spec.check_every):
            self._predict(batch)
            self._report_outcomes(now)
            self._run_schedules(now)
            done += len(batch)
            progress(done, now)
        self._drain(rows[-1].occurred_at + self._spec.check_every)
        self._result.labels = {name: value for name, (_, value) in self._arrivals.labels.items()}
        self._result.seconds = time.monotonic() - started
        return self._result

    def _bootstrap(self, rows: list[Row], now: datetime) -> None:
        """Log the first rows as predictions made elsewhere, and train the first version on what came of them."""
        self._log(rows)
        self._wait_for_predictions(rows)
        self._report_outcomes(now)
        self._client.run_schedule("CloseWindows", now, self._model)
        request = {"reason": "the first version", "occurred_at": format_time(now), "force": True}
        answer = self._client.call("POST", f"models/{self._model}/retrain", key="operator", json=request)
        if not answer["triggered"]:
            raise CallFailed(f"the first training was blocked: {answer['explanation']}")
        wait_for_run(self._client, answer["decision_id"])
        ending = describe_run(self._client, self._model, answer["decision_id"])
        if self._serves():
            self._say(f"{now:%Y-%m-%d}  {ending}")
        else:
            self._say(f"no version serves yet, and the replay goes on without one: the run was {ending}")

    def _log(self, rows: list[Row]) -> None:
        """Log rows as predictions made elsewhere, by a model that knows nothing."""
        for calls in self._calls(rows):
            body = [{**row.instance(), **self._placeholder()} for row in calls]
            receipt = self._client.call(
                "POST", f"models/{self._model}/predictions", key="app", data=_body("predictions", body), headers=_JSON
            )
            _require_taken(receipt, calls)

    def _serves(self) -> bool:
        return bool(self._client.call("GET", f"models/{self._model}/deployments", key="operator")["deployments"])

    def _placeholder(self) -> dict[str, Any]:
        """Build the prediction of a model that knows nothing."""
        task = self._configuration.task
        if task is Task.MULTICLASS:
            return {"score": 0.0, "decision": "unknown", "model_version": BOOTSTRAP_VERSION}
        score = 0.0 if task is Task.REGRESSION else 0.5
        return {"score": score, "model_version": BOOTSTRAP_VERSION}

    def _predict(self, rows: list[Row]) -> None:
        if rows and not (self._has_model or self._serves()):
            self._log(rows)
            self._wait_for_predictions(rows)
            self._result.unanswered += len(rows)
            return
        self._has_model = True
        for calls in self._calls(rows):
            body = _body("instances", [row.instance() for row in calls])
            answer = self._client.call("POST", f"models/{self._model}/predict", key="app", data=body, headers=_JSON)
            for prediction in answer["predictions"]:
                name = prediction["prediction_id"]
                self._result.answers[name] = RowPrediction(
                    prediction["score"], prediction["decision"], prediction.get("probabilities")
                )
                self._result.versions[name] = prediction["model_version"]
        self._wait_for_predictions(rows)

    def _wait_for_predictions(self, rows: list[Row]) -> None:
        if rows:
            span = rows[0].occurred_at, rows[-1].occurred_at
            self._arrivals.wait_for_predictions((row.prediction_id for row in rows), span)

    def _report_outcomes(self, now: datetime) -> None:
        """Send the outcomes known before ``now``, and wait until they are labels."""
        known: list[Row] = []
        while self._next_outcome < len(self._outcomes) and self._outcomes[self._next_outcome].known_at < now:
            known.append(self._outcomes[self._next_outcome])
            self._next_outcome += 1
        for calls in self._calls(known):
            events = [row.feedback(self._spec.outcome.event) for row in calls]
            receipt = self._client.call(
                "POST", f"models/{self._model}/feedback", key="app", data=_body("events", events), headers=_JSON
            )
            _require_taken(receipt, calls)
        sent = {row.prediction_id for row in known}
        self._result.outcomes_sent |= sent
        if known:
            self._arrivals.wait_for_labels(sent, (known[0].known_at, max(map(self._matured_at, known))))

    def _run_schedules(self, now: datetime) -> None:
        for run in tick(self._client, self._arrivals, self._model, now):
            wait_for_run(self._client, run)
            self._tell(run, now)

    def _tell(self, run: str, now: datetime) -> None:
        """Print how a run ended, unless the one before ended the same way: a schedule may try every day."""
        ending = describe_run(self._client, self._model, run)
        kind = ending.split(": ")[:2]
        if kind != self._last_ending:
            self._say(f"{now:%Y-%m-%d}  {ending}")
        self._last_ending = kind

    def _drain(self, now: datetime) -> None:
        """Report what became known after the last row, and let its windows close."""
        last = self._outcomes[-1].known_at if self._outcomes else now
        end = max(now, last + timedelta(microseconds=1))
        self._report_outcomes(end)
        self._client.run_schedule("CloseWindows", end, self._model)
        self._arrivals.read_labels((now, max(map(self._matured_at, self._result.rows))))

    def _matured_at(self, row: Row) -> datetime:
        """Find the moment when a row's label is both known and due, by which day it lies in the lake."""
        return max(row.known_at, row.outcome_due_at or row.occurred_at + self._configuration.outcome_delay)

    def _calls(self, rows: list[Row]) -> Iterator[list[Row]]:
        """Divide the rows into portions that one call may carry."""
        size = max((len(compact_json.dumps(row.instance())) for row in rows[:20]), default=1)
        portion = max(1, min(MAX_CALL_ROWS, MAX_CALL_BYTES // size))
        for start in range(0, len(rows), portion):
            yield rows[start : start + portion]


_JSON = {"content-type": "application/json"}


def _require_taken(receipt: dict[str, Any], rows: list[Row]) -> None:
    """Raise CallFailed, with the line of the file, if the stack refused a row that its doors took when it was read."""
    if receipt["rejected"]:
        refused = receipt["rejected"][0]
        raise CallFailed(f"line {rows[refused['index']].line} was refused: {refused['path']} {refused['message']}")


def _body(name: str, items: Iterable[dict[str, Any]]) -> bytes:
    return compact_json.dumps({name: list(items)}).encode()


def ticks(rows: list[Row], begin: datetime, every: timedelta) -> Iterator[tuple[datetime, list[Row]]]:
    """Group the rows by the check before which they come, checks without rows included.

    Between two checks nothing can change what serves, so that sending an interval's rows together is the same as
    sending each at its own time.
    """
    now, batch = begin + every, list[Row]()
    for row in rows:
        while row.occurred_at >= now:
            yield now, batch
            now, batch = now + every, []
        batch.append(row)
    if batch:
        yield now, batch
