"""Limits of a standard workflow: 256 KB in and out of every state, 25,000 events in a history."""

import json
from functools import partial
from typing import Any

from ministack.services import stepfunctions

from bench.account.mode.settings import STATE_BYTES, Mode
from local.forked.patching import replace, require

TOO_LARGE = "States.DataLimitExceeded"
# A task that is scheduled is started too; that a state within a map is entered and exited, the emulator does not note.
_EVENTS_OF_AN_ATTEMPT, _EVENTS_WITHIN_A_MAP = 2, 2
_COUNT = "account_events"
_OF_ITEMS = {"ItemBatcher", "ItemReader", "ItemSelector", "ItemsPath"}


def install(mode: Mode) -> None:
    """Hold every state of every workflow against the limits."""
    require(stepfunctions, "_ExecutionError", "_read_map_items", "_resolve_path_or_ctx", "_resolve_params_obj")
    for kind in ("pass", "choice", "wait"):
        replace(stepfunctions, f"_execute_{kind}", "state_def raw_input ctx", _limited)
    for kind in ("task", "parallel", "map"):
        replace(
            stepfunctions,
            f"_execute_{kind}",
            "state_def raw_input execution ctx",
            partial(_counted, mode),
        )
    replace(stepfunctions, "_run_distributed_map", "state_def raw_input effective iterator execution ctx", _in_batches)
    replace(stepfunctions, "_invoke_resource", "resource input_data", _limited_call)
    replace(stepfunctions, "_add_event", "execution event_type details", partial(_numbered, mode))


def check_size(payload: Any, what: str) -> None:
    """Check what goes into a state or comes out of it. Raises the workflow's own error."""
    if (found := len(json.dumps(payload, ensure_ascii=False).encode())) > STATE_BYTES:
        raise stepfunctions._ExecutionError(TOO_LARGE, f"{what} has {found} bytes, more than {STATE_BYTES}")


def check_events(execution: dict[str, Any], more: int, most: int) -> None:
    """Count events of an execution's history. Raises the workflow's own error beyond what it holds."""
    execution[_COUNT] = execution.get(_COUNT, 0) + more
    if execution[_COUNT] > most:
        raise stepfunctions._ExecutionError(
            "States.Runtime", f"The execution reached the maximum number of history events ({most})."
        )


def _limited(original: Any) -> Any:
    def execute(state_def: Any, raw_input: Any, ctx: Any = None) -> Any:
        check_size(raw_input, "the input")
        output, following = original(state_def, raw_input, ctx)
        check_size(output, "the output")
        return output, following

    return execute


def _counted(mode: Mode, original: Any) -> Any:
    def execute(state_def: Any, raw_input: Any, execution: Any, ctx: Any) -> Any:
        check_size(raw_input, "the input")
        if "Map" in (ctx or {}):
            check_events(execution, _EVENTS_WITHIN_A_MAP, mode.history_events)
        output, following = original(state_def, raw_input, execution, ctx)
        check_size(output, "the output")
        return output, following

    return execute


def _in_batches(original: Any) -> Any:
    """Hand the items of a distributed map out in batches, which the emulator knows nothing of."""

    def run(state_def: Any, raw_input: Any, effective: Any, *rest: Any) -> Any:
        if "ItemBatcher" not in state_def:
            return original(state_def, raw_input, effective, *rest)
        ctx = rest[2]
        if "ItemReader" in state_def:
            items = stepfunctions._read_map_items(state_def["ItemReader"], effective, ctx)
        else:
            items = stepfunctions._resolve_path_or_ctx(state_def.get("ItemsPath", "$"), effective, ctx)
        selector = state_def.get("ItemSelector")
        if selector:
            within = ({**ctx, "Map": {"Item": {"Index": at, "Value": item}}} for at, item in enumerate(items))
            items = [stepfunctions._resolve_params_obj(selector, effective, one) for one in within]
        plain = {name: value for name, value in state_def.items() if name not in _OF_ITEMS}
        return original(plain, raw_input, batches(items, _most(state_def["ItemBatcher"], effective, ctx)), *rest)

    return run


def _most(batcher: Any, effective: Any, ctx: Any) -> int:
    """Read how many items a batch has at most, which a path into the state's input may give."""
    if "MaxItemsPerBatchPath" in batcher:
        return int(stepfunctions._resolve_path_or_ctx(batcher["MaxItemsPerBatchPath"], effective, ctx))
    return int(batcher["MaxItemsPerBatch"])


def batches(items: list[Any], most: int) -> list[dict[str, Any]]:
    """Put items together, so many at most and no more than a state takes.

    >>> batches(["a", "b", "c"], 2)
    [{'Items': ['a', 'b']}, {'Items': ['c']}]
    """
    found: list[dict[str, Any]] = []
    size = 0
    for item in items:
        bytes_of_it = len(json.dumps(item, ensure_ascii=False).encode()) + 2
        if not found or len(found[-1]["Items"]) == most or size + bytes_of_it > STATE_BYTES:
            found.append({"Items": []})
            size = len('{"Items": []}')
        found[-1]["Items"].append(item)
        size += bytes_of_it
    return found


def _numbered(mode: Mode, original: Any) -> Any:
    def add(execution: Any, event_type: str, details: Any = None) -> Any:
        if not event_type.startswith("Execution"):
            check_events(execution, _EVENTS_OF_AN_ATTEMPT if event_type == "TaskScheduled" else 1, mode.history_events)
        return original(execution, event_type, details)

    return add


def _limited_call(original: Any) -> Any:
    def invoke(resource: str, input_data: Any) -> Any:
        check_size(input_data, "the payload of a task")
        result = original(resource, input_data)
        check_size(result, "the result of a task")
        return result

    return invoke
