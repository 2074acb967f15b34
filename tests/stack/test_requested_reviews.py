"""Reviews that an operator asks for, and one that an operator opens again, on a running stack."""

from typing import Any

from local.state import Stack
from tests.stack.test_review import Reviews
from tests.stack.waiting import eventually


def test_prediction_is_reviewed_as_asked_and_its_task_reopened(stack: Stack) -> None:
    reviews = Reviews(stack, "asked-for")
    row = {"prediction_id": "p-1", "features": {"x": 1}, "score": 0.5, "model_version": "v1"}
    reviews.client.call("POST", "models/asked-for/predictions", key="app", json={"predictions": [row]})
    wanted = {"prediction_ids": ["p-1", "nowhere"], "reason": "the customer disputes it"}
    receipt = reviews.client.call("POST", "models/asked-for/review/tasks", key="operator", json=wanted)
    assert (receipt["accepted"], [row["code"] for row in receipt["rejected"]]) == (["p-1"], ["not_found"])

    def explained() -> Any:
        return reviews.client.call("GET", "models/asked-for/predictions/p-1", key="operator")

    def newest() -> Any:
        labels = explained()["labels"]
        return (labels[-1]["kind"], labels[-1]["value"]) if labels else None

    desk = reviews.desk("ann")
    [task] = eventually(lambda: desk.lease(1))
    assert task["reason"] == "requested"
    assert desk.answer({"task_id": "p-1", "value": 1, "comment": "a clear case"}).status_code == 202
    assert eventually(newest) == ("manual", 1)
    assert explained()["review"]["answers"][0]["comment"] == "a clear case"

    path = "models/asked-for/review/tasks/p-1/reopen"
    reopened = reviews.client.call("POST", path, key="operator", json={"reason": "the guidelines changed"})
    assert (reopened["state"], reopened["reopenings"][0]["actor"]) == ("open", "key:operator")
    # Without another rule there is nothing to fall back to.
    eventually(lambda: newest() == (None, None))
    assert [row["feedback_id"] for row in explained()["feedback"] if row["retracted"]] == ["review:p-1"]
    eventually(lambda: desk.lease(1))
    assert desk.answer({"task_id": "p-1", "value": 0}).status_code == 202
    eventually(lambda: newest() == ("manual", 0))
