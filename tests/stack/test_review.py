"""The review queue on a running stack: hundreds of tasks, twenty reviewers at once, some of whom walk away."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from hindsight.adapters.predictions_table.label_store import DynamoLabels
from hindsight.adapters.predictions_table.review_table import DynamoReviews
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from hindsight.core import compact_json
from hindsight.entities.prediction import PredictionKey
from hindsight.lake.object_store import LABELS, model_prefix
from hindsight.review.selection.sample import SampledPrediction, SampleReason
from hindsight.review.tasks.task import TaskState
from local.client import StackClient
from local.state import Stack
from tests.stack.waiting import PATIENCE_SECONDS, eventually

TASKS = 400
REVIEWERS = 20
WALK_AWAY = 6
BATCH = 20
# Twenty functions that start at once would share two processors for longer than a call may take.
ARRIVAL_SECONDS = 0.1


def document(model: str, **review: Any) -> dict[str, Any]:
    return {
        "model": model,
        "task": "binary",
        "features": {"x": {"type": "numeric"}},
        "labels": {"rules": [{"event": "annotation", "kind": "manual"}]},
        "review": review,
    }


class Reviews:
    """A model whose predictions are reviewed, from outside and from within."""

    def __init__(self, stack: Stack, model: str, **review: Any) -> None:
        self.stack, self.model = stack, model
        self.client = StackClient(stack)
        self.configuration = self.configure(**review)
        table = stack.outputs["PredictionsTable"]
        self.tasks = DynamoReviews(table, self.client.aws("dynamodb"))
        self.labels = DynamoLabels(table, self.client.aws("dynamodb"))

    def configure(self, **review: Any) -> ModelConfiguration:
        body = document(self.model, **review)
        self.client.call("PUT", f"models/{self.model}", key="operator", json=body)
        return parse_configuration(body)

    def add(self, names: list[str]) -> None:
        """Log predictions, and make a task of each."""
        now = datetime.now(UTC)
        for start in range(0, len(names), 500):
            batch = names[start : start + 500]
            rows = [
                {"prediction_id": name, "features": {"x": position}, "score": 0.5, "model_version": "v1"}
                for position, name in enumerate(batch, start)
            ]
            receipt = self.client.call(
                "POST", f"models/{self.model}/predictions", key="app", json={"predictions": rows}
            )
            assert receipt["rejected"] == []
            sampled = [
                SampledPrediction(
                    key=PredictionKey(self.model, name),
                    reason=SampleReason.AUDIT,
                    selection_probability=0.25,
                    sampled_at=now + timedelta(milliseconds=position),
                )
                for position, name in enumerate(batch, start)
            ]
            assert self.tasks.add(sampled, self.configuration) == len(batch)

    def keys(self, names: list[str]) -> list[PredictionKey]:
        return [PredictionKey(self.model, name) for name in names]

    def desk(self, reviewer: str) -> "Desk":
        return Desk(f"{self.stack.api_url}/models/{self.model}/review", self.stack.keys["reviewer"], reviewer)


@dataclass
class Desk:
    """One reviewer's connection, and what was said to have been taken."""

    url: str
    key: str
    reviewer: str
    http: requests.Session = field(default_factory=requests.Session)

    def lease(self, limit: int) -> list[dict[str, Any]]:
        answer = self._send("POST", "/leases", json={"reviewer": self.reviewer, "limit": limit})
        assert answer.status_code == 200, answer.text
        held: list[dict[str, Any]] = answer.json()
        return held

    def queue(self) -> dict[str, Any]:
        answer = self._send("GET", params={"reviewer": self.reviewer})
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def answer(self, *answers: dict[str, Any]) -> requests.Response:
        given = [{"reviewer": self.reviewer, **one} for one in answers]
        return self._send("POST", "/answers", json={"answers": given})

    def taken(self, *answers: dict[str, Any]) -> list[str]:
        """List the tasks with an accepted answer; the lease of the others must have lapsed."""
        answer = self.answer(*answers)
        if answer.status_code == 409:
            return []
        assert answer.status_code == 202, answer.text
        receipt = answer.json()
        assert {row["code"] for row in receipt["rejected"]} <= {"conflict"}
        accepted: list[str] = receipt["accepted"]
        return accepted

    def _send(self, method: str, path: str = "", **request: Any) -> requests.Response:
        """Send a request as any client should: throttling and faults of the other side are tried again."""
        for _ in range(10):
            answer = self.http.request(method, self.url + path, headers={"x-api-key": self.key}, timeout=60, **request)
            if answer.status_code != 429 and answer.status_code < 500:
                break
            time.sleep(0.5)
        return answer


def verdict(task: dict[str, Any]) -> dict[str, Any]:
    return {"task_id": task["task_id"], "value": int(task["features"]["x"] % 3 == 0)}


def annotations(reviews: Reviews) -> list[dict[str, Any]]:
    """List the lines of raw feedback about a model."""
    lake, wanted = reviews.client.lake, f'"model":"{reviews.model}"'.encode()
    lines = (line for key in lake.keys("feedback/") for line in lake.read_raw_lines(key))
    # Other tests write lines that cannot be read.
    return [compact_json.loads(line) for line in lines if wanted in line]


def test_hundreds_of_tasks_and_twenty_reviewers_none_answered_twice_none_stuck(stack: Stack) -> None:
    reviews = Reviews(stack, "reviewed", lease="PT2S")
    names = [f"p-{number:04}" for number in range(TASKS)]
    reviews.add(names)
    left = [
        [task["task_id"] for task in reviews.desk(f"reviewer-{number}").lease(BATCH)] for number in range(WALK_AWAY)
    ]
    assert all(left)
    # Only those who walked away are to lose their leases, however slow the machine is.
    reviews.configure(lease="PT30S")
    deadline = time.monotonic() + 2 * PATIENCE_SECONDS
    done: Counter[str] = Counter()

    def work(number: int) -> list[str]:
        desk, taken = reviews.desk(f"reviewer-{number}"), list[str]()
        time.sleep(number * ARRIVAL_SECONDS)
        while sum(done.values()) < TASKS:
            assert time.monotonic() < deadline, f"{TASKS - sum(done.values())} tasks are stuck"
            held = desk.lease(BATCH)
            accepted = desk.taken(*map(verdict, held)) if held else []
            taken += accepted
            done.update(accepted)
            if not held:
                time.sleep(0.3)
        return taken

    with ThreadPoolExecutor(REVIEWERS) as pool:
        shifts = list(pool.map(work, range(REVIEWERS)))

    who = {name: f"reviewer-{number}" for number, taken in enumerate(shifts) for name in taken}
    assert Counter(name for taken in shifts for name in taken) == Counter(names)
    assert sum(map(bool, shifts)) > REVIEWERS / 2

    tasks = reviews.tasks.load(reviews.keys(names))
    assert {(task.state, len(task.answers), task.is_sent) for task in tasks.values()} == {(TaskState.RESOLVED, 1, True)}
    assert {task.task_id: task.answers[0].reviewer for task in tasks.values()} == who
    assert {name for batch in left for name in batch} <= who.keys()
    sent_rows = annotations(reviews)
    # A call that was sent again may have reported its answers twice: the same event, byte for byte.
    once = {compact_json.dumps(row): row for row in sent_rows}
    assert Counter(row["prediction_id"] for row in once.values()) == Counter(names)
    assert {(row["name"], row["source"]) for row in sent_rows} == {("annotation", "review")}

    def joined() -> list[Any]:
        found = reviews.labels.load(reviews.keys(names))
        return found if all(collection.labels for collection in found) else []

    for position, collection in enumerate(eventually(joined)):
        label = collection.labels[-1].label
        assert (label.value, label.kind, len(collection.feedback)) == (int(position % 3 == 0), "manual", 1)
    status = reviews.client.call("GET", f"models/{reviews.model}", key="operator")
    assert status["review_queue"]["open"] == 0


def test_a_reviewed_label_reaches_the_lake_with_the_probability_of_its_review(stack: Stack) -> None:
    reviews = Reviews(stack, "weighed")
    reviews.add(["p-1"])
    desk = reviews.desk("ann")
    assert [task["task_id"] for task in desk.queue()["tasks"]] == []
    [task] = desk.lease(1)
    assert eventually(lambda: desk.queue()["tasks"]) == [task]
    assert desk.answer(verdict(task)).json() == {"accepted": ["p-1"], "rejected": []}
    assert eventually(lambda: desk.queue()["progress"]["done"]) == 1

    lake = reviews.client.lake

    def label_rows() -> list[dict[str, Any]]:
        return [row for key in lake.keys(model_prefix(LABELS, "weighed")) for row in lake.read_lines(key)]

    [row] = eventually(label_rows)

    assert (row["value"], row["kind"], row["selection_probability"]) == (1, "manual", 0.25)
    explained = reviews.client.call("GET", "models/weighed/predictions/p-1", key="operator")
    assert explained["review"]["state"] == "resolved"
    assert explained["review"]["resolved"]["label"] == 1
    assert [answer["reviewer"] for answer in explained["review"]["answers"]] == ["ann"]
    assert [event["feedback_id"] for event in explained["feedback"]] == ["review:p-1"]


def test_disagreeing_reviewers_are_decided_by_a_third(stack: Stack) -> None:
    reviews = Reviews(stack, "disputed", overlap=2)
    reviews.add(["p-1"])
    for reviewer, value in (("ann", 1), ("bob", 0)):
        desk = reviews.desk(reviewer)
        [task] = desk.lease(1)
        assert desk.answer({"task_id": task["task_id"], "value": value}).status_code == 202
    assert reviews.desk("ann").lease(1) == []
    status = reviews.client.call("GET", "models/disputed", key="operator")["review_queue"]
    assert (status["open"], status["adjudication"], status["agreement"]) == (1, 1, None)

    judge = reviews.desk("cid")
    [task] = judge.lease(1)
    assert (task["reason"], task["answers"]) == ("adjudication", [1, 0])
    assert judge.answer({"task_id": "p-1", "value": 0}).status_code == 202

    [row] = annotations(reviews)
    assert row["value"] == 0
    agreement = reviews.client.call("GET", "models/disputed", key="operator")["review_queue"]["agreement"]
    assert (agreement["tasks"], agreement["observed"]) == (1, 0.0)


def test_schedule_sends_feedback_left_unsent_by_a_crash(stack: Stack) -> None:
    reviews = Reviews(stack, "unsent")
    reviews.add(["p-1"])
    desk = reviews.desk("ann")
    [task] = desk.lease(1)
    desk.answer(verdict(task))
    [settled] = reviews.tasks.load(reviews.keys(["p-1"])).values()
    reviews.tasks.save([replace(settled, is_sent=False)])
    assert reviews.client.run_schedule("ExpireReviews", datetime.now(UTC), "unsent")["sent"] == 1
    [tended] = reviews.tasks.load(reviews.keys(["p-1"])).values()
    assert tended.is_sent
    # Sent twice it is one event, byte for byte.
    assert len({compact_json.dumps(row) for row in annotations(reviews)}) == 1


def test_refusals_have_the_contract_s_statuses(stack: Stack) -> None:
    reviews = Reviews(stack, "refused", lease="PT1S")
    reviews.add(["p-1", "p-2"])
    desk = reviews.desk("ann")
    assert desk._send("POST", "/leases", json={"reviewer": "a "}).status_code == 400
    assert desk.answer({"task_id": "nowhere", "value": 1}).status_code == 404
    assert desk.answer({"task_id": "p-1", "value": 7}).status_code == 400
    desk.lease(1)
    time.sleep(1.1)
    late = desk.answer({"task_id": "p-1", "value": 1})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "conflict")
    assert [detail["path"] for detail in late.json()["error"]["details"]] == ["answers[0].task_id"]
    assert desk.answer({"task_id": "p-1", "value": 1}, {"task_id": "p-2", "skip": True}).status_code == 409


def test_schedule_closes_unanswered_tasks(stack: Stack) -> None:
    reviews = Reviews(stack, "forgotten", expires="P1D")
    reviews.add(["p-1", "p-2"])
    states = []
    for hours in (23, 25):
        then = datetime.now(UTC) + timedelta(hours=hours)
        assert reviews.client.run_schedule("ExpireReviews", then, "forgotten")["is_complete"]
        states.append({task.state for task in reviews.tasks.load(reviews.keys(["p-1", "p-2"])).values()})
    assert states == [{TaskState.OPEN}, {TaskState.EXPIRED}]
    assert reviews.desk("ann").lease(5) == []
