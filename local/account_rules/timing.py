"""A batch ends within its function's time, and a message is not seen again while somebody works on it."""

import ast
from collections.abc import Iterator
from functools import cache

from local.template import TEMPLATE
from local.transformed import Deployment

_VISIBILITY = 6
# What one item of a batch takes at worst, in seconds, and where that is measured or bounded. A function that looks at
# the clock needs no entry: it hands back what it has no time for.
WORST_SECONDS: dict[str, tuple[float, str]] = {
    "ArchivePredictionsFunction": (
        0.007,
        "an object a record, each a put of 40 ms by one of eight writers; 2 ms to decode",
    ),
    "ArchiveLabelsFunction": (0.009, "the same, and heads read a hundred at once; 2 ms to build an example"),
}
_CLOCK = "get_remaining_time_in_millis"


def batches_outlast_their_function(deployment: Deployment) -> Iterator[str]:
    """A batch whose every item takes the worst time ends within the function's timeout."""
    for name, batch, timeout in _batches(deployment):
        if _looks_at_the_clock(name):
            continue
        if name not in WORST_SECONDS:
            yield f"{name}: takes batches, looks at no clock, and nothing says how long an item may take"
        elif batch * WORST_SECONDS[name][0] > timeout:
            yield f"{name}: {batch} items of {WORST_SECONDS[name][0]} s at worst do not end within {timeout} s"


def messages_come_back_too_early(deployment: Deployment) -> Iterator[str]:
    """A queue hides a message six times as long as its function may take, and for the wait for a batch."""
    functions = deployment.of("AWS::Lambda::Function")
    for name, mapping in deployment.of("AWS::Lambda::EventSourceMapping").items():
        queue = _queue_of(deployment, mapping["EventSourceArn"])
        if queue is None:
            continue
        (function,) = [one for one in functions if deployment.resources[one]["Name"] == mapping["FunctionName"]]
        window = int(mapping.get("MaximumBatchingWindowInSeconds", 0))
        needed = _VISIBILITY * int(functions[function]["Timeout"]) + window
        visibility = int(deployment.resources[queue]["Properties"].get("VisibilityTimeout", 30))
        if visibility < needed:
            yield f"{queue}: hides a message for {visibility} s, less than {needed} s that {function} asks for"
        if int(mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 0)) < 2:
            yield f"{name}: not bounded, or by less than the two that Lambda takes"


def _batches(deployment: Deployment) -> Iterator[tuple[str, int, int]]:
    functions = deployment.of("AWS::Lambda::Function")
    for mapping in deployment.of("AWS::Lambda::EventSourceMapping").values():
        (name,) = [one for one in functions if deployment.resources[one]["Name"] == mapping["FunctionName"]]
        yield name, int(mapping["BatchSize"]), int(functions[name]["Timeout"])


def _queue_of(deployment: Deployment, arn: str) -> str | None:
    found = [name for name in deployment.of("AWS::SQS::Queue") if deployment.resources[name]["Arn"] == arn]
    return found[0] if found else None


@cache
def _looks_at_the_clock(function: str) -> bool:
    """Find out whether a handler asks for the time that is left."""
    folder = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in function).strip("_")
    source = (TEMPLATE.parent / "functions" / folder.removesuffix("_function") / "app.py").read_text(encoding="utf-8")
    return any(isinstance(node, ast.Attribute) and node.attr == _CLOCK for node in ast.walk(ast.parse(source)))
