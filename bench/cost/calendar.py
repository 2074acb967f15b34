"""The template's clock, and the way through its state machine."""

import json
from collections.abc import Iterator

from bench.cost.account import Account
from bench.cost.events import Event
from local.schedules import DAY, HOUR, seconds_between
from local.transformed import Deployment

__all__ = ["DAY", "HOUR", "retraining_machine", "schedules", "seconds_between", "walk"]


def schedules(account: Account) -> Iterator[tuple[str, str, float]]:
    """List the template's schedules: name, function and seconds between two."""
    for name, schedule in account.deployment.of("AWS::Scheduler::Schedule").items():
        yield name, schedule["Target"]["Arn"], seconds_between(schedule["ScheduleExpression"])


def retraining_machine(deployment: Deployment) -> Event:
    """Find the definition of the state machine of retraining."""
    machines = deployment.of("AWS::StepFunctions::StateMachine")
    (name,) = [one for one in machines if one.startswith("Retraining")]
    return deployment.definition_of(name)


def walk(definition: Event, functions: list[str], candidates: int) -> tuple[int, int]:
    """Count the transitions, and the announcements, of an execution that calls these functions in turn."""
    state, transitions, announced = definition["StartAt"], 1, 0
    states = definition["States"]
    for name in [*functions, None]:
        way = _shortest(states, state, name)
        transitions += len(way) - 1
        announced += sum("events:putEvents" in str(states[one].get("Resource")) for one in way[1:])
        for one in way[1:]:
            if states[one]["Type"] == "Map":
                inner = states[one]["ItemProcessor"]
                transitions += candidates * len(_shortest(inner["States"], inner["StartAt"], name))
        state = way[-1]
    return transitions, announced


def _shortest(states: Event, start: str, function: str | None) -> list[str]:
    """Find the way to the state that calls a function, or to the end."""
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop(0)
        state = states[way[-1]]
        inner = json.dumps(state.get("ItemProcessor", ""))
        called = str(state.get("Arguments", {}).get("FunctionName", "")) + inner
        if (function is None and (state["Type"] == "Succeed" or state.get("End"))) or (
            function is not None and f"-{function}Function-" in called
        ):
            return way
        following = [state.get("Next"), state.get("Default"), *(choice["Next"] for choice in state.get("Choices", []))]
        for name in [one for one in following if one and one not in seen]:
            seen.add(name)
            ways.append([*way, name])
    msg = f"no way from {start} to {function}"
    raise LookupError(msg)
