"""One tick of the clock: the scheduled functions of the loop, invoked now for one model, in the order data flows."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from hindsight.lake.object_store import LABELS, PREDICTIONS, PROFILES, model_prefix
from local.client import CallFailed, StackClient
from local.run_end import describe_run, wait_for_run

# What was just captured is on its way to the lake for a moment.
_CALM_SECONDS = 1.0
_PATIENCE_SECONDS = 30.0

Say = Callable[[str], None]


def tick(client: StackClient, model: str, now: datetime, say: Say) -> None:
    """Close windows, check, evaluate rollouts and triggers; print a line each. Raises CallFailed."""
    # An unknown model is named as such by this call.
    client.call("GET", f"models/{model}", key="operator")
    wait_until_calm(client, model)
    closed = client.run_schedule("CloseWindows", now, model)
    rest = "" if closed["is_complete"] else "; more are due, tick again"
    say(f"labels    {closed['examined']} predictions whose window closed{rest}")
    if closed["examined"]:
        wait_until_calm(client, model)
    checks = client.run_schedule("Monitor", now, model)["checks"]
    say(f"checks    {'; '.join(map(_check, checks)) or 'none'}")
    evaluations = client.run_schedule("EvaluateRollouts", now, model)["evaluations"]
    say(f"rollouts  {'; '.join(map(_evaluation, evaluations)) or 'none to evaluate'}")
    decisions = client.run_schedule("CheckTriggers", now, model)["decisions"]
    for decision in decisions:
        _print_decision(client, model, decision, say)


def models_of(client: StackClient) -> list[str]:
    """List the models that the clock works on."""
    found = list(_models(client))
    return [entry["model"] for entry in found if entry["state"] != "retired"]


def wait_until_calm(client: StackClient, model: str) -> None:
    """Wait until nothing of a model reaches the lake any more: checks and triggers go by what is there."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    before, since = _in_the_lake(client, model), time.monotonic()
    while time.monotonic() - since < _CALM_SECONDS and time.monotonic() < deadline:
        time.sleep(0.2)
        if (found := _in_the_lake(client, model)) != before:
            before, since = found, time.monotonic()


def _in_the_lake(client: StackClient, model: str) -> list[tuple[str, str]]:
    prefixes = [model_prefix(kind, model) for kind in (PREDICTIONS, LABELS, PROFILES)]
    return [entry for prefix in prefixes for entry in client.lake.tags(prefix)]


def _models(client: StackClient) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        page = client.call("GET", f"models?limit=100{after}", key="operator")
        yield from page["models"]
        if "next_token" not in page:
            return
        after = f"&next_token={page['next_token']}"


def _check(check: dict[str, Any]) -> str:
    reason = f" ({check['reason'].partition(';')[0]})" if check["reason"] else ""
    return f"{check['kind']}: {check['verdict']}{reason}"


def _evaluation(evaluation: dict[str, Any]) -> str:
    return f"{evaluation['version']}: {evaluation['verdict']}"


def _print_decision(client: StackClient, model: str, decision: dict[str, Any], say: Say) -> None:
    """Print why a run started, or why not; of one that did also how it ended, or that it waits."""
    status = client.call("GET", f"models/{model}", key="operator")
    say(f"triggers  {status['last_evaluation']['explanation']}")
    if not decision["triggered"]:
        return
    with suppress(CallFailed):
        wait_for_run(client, decision["decision_id"], lambda: _waits(client, model))
    say(f"run       {describe_run(client, model, decision['decision_id'])}")


def _waits(client: StackClient, model: str) -> bool:
    status = client.call("GET", f"models/{model}", key="operator")
    return any(status[kind] is not None for kind in ("waiting_for_approval", "waiting_for_version"))
