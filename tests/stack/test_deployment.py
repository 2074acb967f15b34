"""A canary, a shadow and a rollback through the API of a running stack."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from hindsight.core.times import format_time
from hindsight.lake.object_store import LABELS, model_prefix
from local.client import CallFailed, StackClient
from tests.stack.test_loop import START, configuration, get, replay
from tests.stack.waiting import eventually

MODEL = "stepwise"
SHARE = 0.3
ENTITIES = 200
DAY = timedelta(days=1)
# Past the replay's forty days; each run comes days after the one before, with outcomes in between.
MOMENTS = {
    strategy: START + timedelta(days=60 + 10 * place) for place, strategy in enumerate(("canary", "shadow", "direct"))
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Story:
    """Observations of one model, step after step: tests come in any order, its steps do not."""

    first: str
    canary: Row
    canary_answers: list[list[Row]]
    aborted: Row
    after_abort: list[Row]
    shadow: Row
    shadow_answers: list[Row]
    shadow_explained: Row
    shadow_rows: list[Row]
    promoted: Row
    before_rollback: list[Row]
    rolled_back: list[Row]
    after_rollback: list[Row]
    refusals: list[str]
    history: list[Row]


def document(strategy: str) -> Row:
    return configuration(
        MODEL,
        ["x", "kind"],
        training={"window": "P90D", "candidates": ["logistic_regression"]},
        # Versions of one world are all alike; here the way into service is tried, not the gate.
        gate={"floor": 0.6, "margin": -0.3, "confidence": 0.8, "max_slice_drop": 1.0},
        deployment={"strategy": strategy, "canary": {"share": SHARE}},
    )


def rows(count: int, seed: int) -> list[Row]:
    rng = random.Random(seed)
    xs = [round(rng.gauss(0, 1), 4) for _ in range(count)]
    return [{"x": x, "kind": rng.choice("abc"), "outcome": int(x + rng.gauss(0, 0.3) > 0)} for x in xs]


def status(client: StackClient) -> Row:
    found: Row = get(client, MODEL)
    return found


def predict(client: StackClient, name: str, count: int, at: datetime, entities: int | None = None) -> list[Row]:
    """Predict for so many entities, each as often; return the answers."""
    instances = [
        {
            "prediction_id": f"{name}-{place}",
            "features": {"x": row["x"], "kind": row["kind"]},
            "entity_id": f"rider-{place % (entities or count)}",
            "occurred_at": format_time(at),
        }
        for place, row in enumerate(rows(count, seed=2))
    ]
    asked = {"instances": instances}
    answers: list[Row] = client.call("POST", f"models/{MODEL}/predict", key="app", json=asked)["predictions"]
    return answers


def learn(client: StackClient, answers: list[Row], at: datetime) -> None:
    """Send what came of predictions, and wait until all of it can be learned from."""
    events = [
        {
            "feedback_id": f"{answer['prediction_id']}-outcome",
            "prediction_id": answer["prediction_id"],
            "name": "outcome",
            "value": row["outcome"],
            "occurred_at": format_time(at),
        }
        for answer, row in zip(answers, rows(len(answers), seed=2), strict=True)
    ]
    receipt = client.call("POST", f"models/{MODEL}/feedback", key="app", json={"events": events})
    assert len(receipt["accepted"]) == len(events)
    wanted = {answer["prediction_id"] for answer in answers}
    eventually(lambda: wanted <= {row["prediction_id"] for row in label_rows(client)})


def label_rows(client: StackClient) -> list[Row]:
    keys = client.lake.keys(model_prefix(LABELS, MODEL))
    return [row for key in keys for row in client.lake.read_lines(key)]


def run(client: StackClient, strategy: str) -> Row:
    """Retrain under a strategy, with some outcomes more than the run before; return the status after it."""
    moment = MOMENTS[strategy]
    client.call("PUT", f"models/{MODEL}", key="operator", json=document(strategy))
    learn(client, predict(client, f"before-{strategy}", 60, moment - 5 * DAY), moment - 5 * DAY)
    request = {"reason": f"as a {strategy}", "force": True, "occurred_at": format_time(moment)}
    asked = client.call("POST", f"models/{MODEL}/retrain", key="operator", json=request)
    assert asked["triggered"], asked
    [decision] = eventually(
        lambda: [
            row
            for row in get(client, f"{MODEL}/decisions")["decisions"]
            if row["decision_id"] == asked["decision_id"] and row.get("outcome")
        ]
    )
    assert decision["outcome"] not in {"failed", "rejected", "skipped"}, decision
    return status(client)


def roll_back(client: StackClient, at: datetime, **body: Any) -> Row:
    request = {"occurred_at": format_time(at), **body}
    move: Row = client.call("POST", f"models/{MODEL}/rollback", key="operator", json=request)
    return move


def refusal(client: StackClient, at: datetime, **body: Any) -> str:
    with pytest.raises(CallFailed) as refused:
        roll_back(client, at, **body)
    return refused.value.message


@pytest.fixture(scope="module")
def story(client: StackClient, tmp_path_factory: pytest.TempPathFactory) -> Story:
    summary = replay(client, tmp_path_factory.mktemp(MODEL), document("canary"), rows(420, seed=1))
    assert (summary["promotions"], summary["lost"]) == (1, 0)
    first = str(status(client)["champion"])

    canary = run(client, "canary")
    canary_answers = [predict(client, f"share-{n}", 400, MOMENTS["canary"], ENTITIES) for n in range(2)]
    aborted = roll_back(client, MOMENTS["canary"] + DAY, to=canary["champion"], reason="riders complain")
    after_abort = predict(client, "aborted", 50, MOMENTS["canary"] + DAY)

    shadow = run(client, "shadow")
    shadow_answers = predict(client, "shadowed", 20, MOMENTS["shadow"] + DAY)
    learn(client, shadow_answers, MOMENTS["shadow"] + DAY)
    shadow_explained = get(client, f"{MODEL}/predictions/shadowed-0")["prediction"]
    shadow_rows = [row for row in label_rows(client) if row["prediction_id"].startswith("shadowed-")]

    promoted, at = run(client, "direct"), MOMENTS["direct"] + DAY
    before_rollback = predict(client, "before-rollback", 5, at)
    asked = {"from": promoted["champion"], "reason": "riders complain again"}
    rolled_back = [roll_back(client, at, **asked) for _ in range(2)]
    return Story(
        first=first,
        canary=canary,
        canary_answers=canary_answers,
        aborted=aborted,
        after_abort=after_abort,
        shadow=shadow,
        shadow_answers=shadow_answers,
        shadow_explained=shadow_explained,
        shadow_rows=shadow_rows,
        promoted=promoted,
        before_rollback=before_rollback,
        rolled_back=rolled_back,
        after_rollback=predict(client, "after-rollback", 5, at),
        refusals=[refusal(client, at, **body) for body in ({"reason": "further"}, {"reason": "x", "to": "v-unknown"})],
        history=get(client, f"{MODEL}/deployments")["deployments"],
    )


def versions(answers: list[Row]) -> set[str]:
    return {answer["model_version"] for answer in answers}


def test_a_canary_answers_its_share_of_entities_each_of_them_always(story: Story) -> None:
    champion, challenger = story.canary["champion"], story.canary["challenger"]
    assert (story.canary["rollout"]["mode"], story.canary["rollout"]["share"]) == ("canary", SHARE)
    assert challenger not in {None, champion}
    answers = [answer for answers in story.canary_answers for answer in answers]
    by_entity = [versions(answers[place::ENTITIES]) for place in range(ENTITIES)]
    assert all(len(answered) == 1 for answered in by_entity)
    assert versions(answers) == {champion, challenger}
    assert SHARE - 0.1 < by_entity.count({challenger}) / ENTITIES < SHARE + 0.1


def test_a_canary_is_taken_away_by_going_back_to_the_champion_alone(story: Story) -> None:
    assert (story.aborted["change"], story.aborted["challenger"]) == ("rollout_aborted", story.canary["challenger"])
    assert versions(story.after_abort) == {story.canary["champion"]}


def test_shadow_answer_is_not_returned_and_is_kept_up_to_the_label(story: Story) -> None:
    assert (story.shadow["rollout"]["mode"], story.shadow["rollout"].get("share")) == ("shadow", None)
    assert versions(story.shadow_answers) == {story.shadow["champion"]}
    assert not any("shadow" in answer for answer in story.shadow_answers)
    said = story.shadow_explained["shadow"]
    assert (said["version"], set(said)) == (story.shadow["challenger"], {"version", "score", "decision"})
    learned = {row["prediction_id"]: row["shadow"] for row in story.shadow_rows}
    assert learned["shadowed-0"] == said
    assert len(learned) == len(story.shadow_answers)
    assert {shadow["version"] for shadow in learned.values()} == {story.shadow["challenger"]}


def test_a_rollback_brings_the_champion_before_back_at_the_next_call(story: Story) -> None:
    assert (story.promoted["previous"], story.promoted["challenger"]) == (story.first, None)
    assert versions(story.before_rollback) == {story.promoted["champion"]} != {story.first}
    move, again = story.rolled_back
    assert (move["change"], move["to"], move["actor"]) == ("rolled_back", story.first, "key:operator")
    assert again == move
    assert versions(story.after_rollback) == {story.first}


def test_rollback_without_a_target_or_to_an_unknown_version_is_refused(story: Story) -> None:
    nothing_left, unknown = story.refusals
    assert "409" in nothing_left
    assert f"no version before {story.first}" in nothing_left
    assert "404" in unknown


def test_history_lists_every_change(story: Story) -> None:
    assert story.history[0] == story.rolled_back[0]
    assert [found["change"] for found in reversed(story.history)] == [
        "promoted",
        "canary_started",
        "rollout_aborted",
        "shadow_started",
        "rollout_aborted",
        "promoted",
        "rolled_back",
    ]


def test_an_app_may_not_roll_back(client: StackClient) -> None:
    with pytest.raises(CallFailed, match="403"):
        client.call("POST", f"models/{MODEL}/rollback", key="app", json={"reason": "x"})
