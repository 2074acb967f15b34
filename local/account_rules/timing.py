"""A batch ends within its function's time, and a message is not seen again while a function works on it."""

from collections.abc import Iterator

from local.transformed import Deployment

_VISIBILITY = 6
# What one item of a batch takes at worst, in seconds, and what that is made of; tests/template/test_archive_time.py
# measures both.
WORST_SECONDS: dict[str, tuple[float, str]] = {
    "ArchivePredictionsFunction": (
        0.018,
        "an object a record, each put by one of eight writers; heads of late ones are read a hundred at once; an entry "
        "by entity and one by reference, and for each a read, eight at once, of whether feedback waits",
    ),
    "ArchiveLabelsFunction": (0.015, "the same, and heads read a hundred at once, and an item a new label"),
}
# Time that is left for what follows the batch in the same run, in seconds, and what that does when it is over.
LEFT_FOR: dict[str, tuple[float, str]] = {
    "ArchivePredictionsFunction": (120, "draws for review, until the clock says that the rest is to come again"),
}
# Who looks at the clock all along, and what becomes of the rest.
WATCHES_THE_CLOCK = {
    "EraseSubjectFunction": "another message goes on where this one stopped",
    "ImportFilesFunction": "another message goes on behind the last line that was taken",
    "JoinLabelsFunction": "another message goes on behind the last chunk that was joined",
    "ProfilePredictionsFunction": "keys it did not come to are delivered again",
    "ReplayQuarantineFunction": "another message goes on where this one stopped",
}


def batches_outlast_their_function(deployment: Deployment) -> Iterator[str]:
    """List the functions that may not finish a batch whose every item takes the worst time."""
    for name, batch, timeout in _batches(deployment):
        if name in WATCHES_THE_CLOCK:
            continue
        left, _ = LEFT_FOR.get(name, (0, ""))
        if name not in WORST_SECONDS:
            yield f"{name}: takes batches, and nothing says how long an item may take, or that it watches the clock"
        elif batch * WORST_SECONDS[name][0] > timeout - left:
            yield f"{name}: {batch} items of {WORST_SECONDS[name][0]} s at worst do not end within {timeout - left} s"


def messages_come_back_too_early(deployment: Deployment) -> Iterator[str]:
    """List the queues that hide a message for less than six times the function's timeout plus the batch window."""
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
    """List the consumers of batches with the number of items and the seconds that a batch has."""
    functions = deployment.of("AWS::Lambda::Function")
    for mapping in deployment.of("AWS::Lambda::EventSourceMapping").values():
        (name,) = [one for one in functions if deployment.resources[one]["Name"] == mapping["FunctionName"]]
        yield name, int(mapping["BatchSize"]), int(functions[name]["Timeout"])


def _queue_of(deployment: Deployment, arn: str) -> str | None:
    found = [name for name in deployment.of("AWS::SQS::Queue") if deployment.resources[name]["Arn"] == arn]
    return found[0] if found else None
