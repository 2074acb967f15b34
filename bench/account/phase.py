"""The phases of a run: their results, and their waiting."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bench.chaos.stack import wait_until
from local.client import CallFailed, StackClient

_COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]


@dataclass
class Phase:
    """The figures of one part; ``unexplained`` must stay empty: it is printed, and fails the run."""

    name: str
    sent: int = 0
    lost: int = 0
    doubled: int = 0
    missing: int = 0
    seconds: float = 0.0
    unexplained: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the time of a with block."""
        began = time.monotonic()
        yield
        self.seconds = round(self.seconds + time.monotonic() - began, 1)

    def count(self, what: str, names: list[str]) -> None:
        """Count things that are lost, doubled or missing, and name some of them."""
        setattr(self, what, getattr(self, what) + len(names))
        self.unexplained += [f"{self.name}: {what}: {name}" for name in names[:5]]


def queue_counts(client: StackClient, *, dead: bool) -> dict[str, int]:
    """Count the messages that each queue holds or is working on, of dead letters or of the others."""
    queues, found = client.aws("sqs"), {}
    for name, url in client.stack.outputs.items():
        if name.endswith("QueueUrl") and ("DeadLetter" in name) == dead:
            attributes = queues.get_queue_attributes(QueueUrl=url, AttributeNames=_COUNTS)["Attributes"]
            found[name] = sum(int(attributes[one]) for one in _COUNTS)
    return {name: count for name, count in found.items() if count}


def wait_for_queues(client: StackClient, seconds: float) -> bool:
    """Check that all queues are empty in time."""
    return wait_until(lambda: not queue_counts(client, dead=False), seconds, pause=1.0)


def close_windows(client: StackClient, now: datetime, model: str) -> None:
    """Let the clock of labels run to the end; where there is no room for it now, its schedule would come again."""
    for _ in range(30):
        try:
            if client.run_schedule("CloseWindows", now, model)["is_complete"]:
                return
            time.sleep(1.0)
        except (CallFailed, client.aws("lambda").exceptions.TooManyRequestsException):
            time.sleep(1.0)


def settled(judge: Callable[[], Phase], seconds: float) -> Phase:
    """Reconcile, and again while a figure is wrong and there is time: no queue shows what streams deliver."""
    deadline = time.monotonic() + seconds
    while (phase := judge()).unexplained and time.monotonic() < deadline:
        time.sleep(2.0)
    return phase
