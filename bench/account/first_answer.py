"""The first response of a predict function that had no calls for a while.

Real: the call over HTTP, through the authorizer, with the champion of a model to load. Modelled: the start of a
worker (``bench.account.mode.starts``), and the share of a processor that the functions' memory buys: processors are
whole ones here, so that the call's processor time is stretched by what Lambda gives of one.

Idle as the stack is: the schedule that keeps an instance warm has come, and it came to an instance that was not there
before. ``cold`` is the worst case, where AWS has taken that instance away too.
"""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.account.mode.settings import STARTS
from bench.account.mode.starts import processor_seconds_of
from hindsight.core.times import format_time
from local.client import StackClient

FUNCTIONS = ("Predict", "Authorize")
# Megabytes of memory that buy one processor.
MEGABYTES_A_PROCESSOR = 1769
_SETTLE_SECONDS = 1.0
# API Gateway caches the authorizer's answer for a key for this long.
_AUTHORIZED_SECONDS = 300.0


@dataclass(frozen=True)
class PredictRequest:
    """The request: the model that has a champion, the features, and the simulated time."""

    model: str
    features: dict[str, Any]
    now: datetime


class NotIdle(Exception):
    """The measured instance was not the one that answered."""


def first_answers(client: StackClient, server: Path, asked: PredictRequest, pace: float) -> dict[str, float]:
    """Measure the first answer of an idle function, with and without the instance that is kept warm.

    Raises NotIdle where an instance was there that was to be taken away, or was not that was to be kept.
    """
    _take_instances_away(client, pace)
    client.run_schedule("Predict", asked.now, asked.model)
    warm = _first_answer(client, server, asked, starts={"Authorize"})
    _take_instances_away(client, pace)
    cold = _first_answer(client, server, asked, starts=set(FUNCTIONS))
    return {"predict_first_answer_seconds": round(warm, 2), "predict_cold_answer_seconds": round(cold, 2)}


def _take_instances_away(client: StackClient, pace: float) -> None:
    """Make the next call meet new instances, as after a while without any.

    The emulator lets go of a function's instances when its timeout is set, though it be to what it was.
    """
    functions: Any = client.aws("lambda")
    for function in FUNCTIONS:
        name = client.stack.outputs[f"{function}Function"]
        timeout = functions.get_function_configuration(FunctionName=name)["Timeout"]
        functions.update_function_configuration(FunctionName=name, Timeout=timeout)
    time.sleep(_AUTHORIZED_SECONDS * pace + _SETTLE_SECONDS)


def _first_answer(client: StackClient, server: Path, asked: PredictRequest, *, starts: set[str]) -> float:
    before, started = _processor_seconds(client, server), len(_starts(server))
    instance = {"prediction_id": f"first-{time.monotonic_ns()}", "occurred_at": format_time(asked.now)}
    body = {"instances": [instance | {"features": asked.features}]}
    began = time.monotonic()
    client.call("POST", f"models/{asked.model}/predict", key="app", json=body)
    seconds = time.monotonic() - began
    names = {client.stack.outputs[f"{function}Function"]: function for function in FUNCTIONS}
    fresh = _starts(server)[: len(_starts(server)) - started]
    if (found := {names[note["function"]] for note in fresh if note["function"] in names}) != starts:
        msg = f"instances of {sorted(found)} were started by a call that was to start those of {sorted(starts)}"
        raise NotIdle(msg)
    after = _processor_seconds(client, server)
    stretched = 0.0
    for pid, (used, megabytes) in after.items():
        share = min(1.0, megabytes / MEGABYTES_A_PROCESSOR)
        stretched += (used - before[pid][0] if pid in before else _since_start(server, pid, used)) * (1 / share - 1)
    return seconds + stretched


def _processor_seconds(client: StackClient, server: Path) -> dict[int, tuple[float, int]]:
    """Read the processor time and the memory of every instance of the functions that a call goes through."""
    names = {client.stack.outputs[f"{function}Function"] for function in FUNCTIONS}
    found = {}
    for note in _starts(server):
        if note["function"] in names and Path(f"/proc/{note['pid']}/stat").exists():
            found[note["pid"]] = processor_seconds_of(note["pid"]), note["memory"]
    return found


def _since_start(server: Path, pid: int, used: float) -> float:
    """Measure the memory an instance used after it was ready: until then Lambda gives a whole processor."""
    return used - float(next(note["processor_seconds"] for note in _starts(server) if note["pid"] == pid))


def _starts(server: Path) -> list[dict[str, Any]]:
    """Read what the starts of instances took so far, the newest first."""
    lines = (server / STARTS).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in reversed(lines)]
