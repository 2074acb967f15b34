"""Announcements of approvals and overrides keep the promises of docs/events.md."""

from dataclasses import replace

import pytest
from jsonschema import ValidationError

from tests.event_schemas import require_promised
from tests.unit.rollout.approval import test_override as overriding
from tests.unit.rollout.approval import test_requests as asking


def test_a_question_to_people_is_announced_as_promised() -> None:
    world = asking.World()
    compared = {"compared_with": "v0", "champion_metrics": {"accuracy": 0.8}, "card_key": "models/v1/card.html"}
    world.registry.put_version("bike", asking.RECORD.replace(version="v2", notes=("a note",), **compared))
    world.ask()
    world.ask(replace(asking.REQUEST, version="v2"))
    assert [announced.data["version"] for announced in world.bus.published] == [asking.REQUEST.version, "v2"]
    for announced in world.bus.published:
        require_promised(announced.name, announced.detail())
        with pytest.raises(ValidationError):
            require_promised(
                announced.name, {**announced.detail(), "data": {**announced.data, "task_token": "token-1"}}
            )


def test_an_override_is_announced_as_promised() -> None:
    world = overriding.World()
    world.overrides.take("bike", "v2", overriding.ANSWER)
    [announced] = world.bus.published
    require_promised(announced.name, announced.detail())
    assert (announced.name, announced.detail()["data"]["version"]) == ("GateOverridden", "v2")
    with pytest.raises(ValidationError):
        require_promised(announced.name, {**announced.detail(), "data": {**announced.data, "refused": "worse"}})
