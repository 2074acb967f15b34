"""The faults of calls: drawn from a seed, and counted."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock

APP = "app"  # the apps' own calls of the HTTP API, which no AWS service answers


class Fault(StrEnum):
    """The kind of a fault."""

    THROTTLED = "throttled"
    FAILED = "failed"
    CUT_OFF = "cut_off"  # the connection breaks before anything is done
    LOST = "lost"  # all is done, and the answer is lost
    PARTIAL = "partial"  # a batch is done in part
    OUTAGE = "outage"  # a service answers no call for a while


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an operation of a service, both as the wire names them: ``dynamodb``, ``BatchWriteItem``."""

    service: str
    operation: str


# The throttling error of each service; those not named here throttle by the HTTP status alone.
THROTTLES: Mapping[str, tuple[int, str]] = {
    "dynamodb": (400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
    "firehose": (503, "ServiceUnavailableException"),
    "events": (400, "ThrottlingException"),
    "states": (400, "ThrottlingException"),
    "sqs": (400, "com.amazonaws.sqs#RequestThrottled"),
    "secretsmanager": (400, "ThrottlingException"),
}
BATCHES = {"BatchWriteItem", "BatchGetItem", "PutRecordBatch", "PutEvents", "SendMessageBatch"}
_KINDS = (Fault.THROTTLED, Fault.FAILED, Fault.CUT_OFF, Fault.LOST)


@dataclass
class Faults:
    """The fault of each call: with probability ``share`` one of the kinds its service knows, each as likely.

    A service that is in ``outages`` answers no call. Calls that come at once take their draws in the order they come:
    the seed decides how often what fails, not which call of many that run side by side.
    """

    seed: int
    share: float
    outages: set[str] = field(default_factory=set)
    calls: Counter[str] = field(default_factory=Counter)
    faulted: Counter[tuple[str, Fault]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._lock = Lock()

    def draw(self, call: Call) -> Fault | None:
        """Draw the fault of a call, None for none."""
        with self._lock:
            fault = self._drawn(call)
            self.calls[call.service] += 1
            if fault is not None:
                self.faulted[f"{call.service}.{call.operation}", fault] += 1
            return fault

    def part(self, count: int) -> list[bool]:
        """Select the entries of a batch that are done: not all of them."""
        with self._lock:
            done = [self._rng.random() < 0.5 for _ in range(count)]
            if all(done):
                done[self._rng.randrange(count)] = False
            return done

    @property
    def faulted_share(self) -> float:
        """Compute the share of all calls that failed."""
        return sum(self.faulted.values()) / max(1, sum(self.calls.values()))

    def by_kind(self) -> dict[str, int]:
        """Count the failed calls by fault."""
        kinds: Counter[str] = Counter()
        for (_, fault), count in self.faulted.items():
            kinds[fault.value] += count
        return dict(sorted(kinds.items()))

    def _drawn(self, call: Call) -> Fault | None:
        if call.service in self.outages:
            return Fault.OUTAGE
        if self._rng.random() >= self.share:
            return None
        kinds = [*_KINDS, Fault.PARTIAL] if call.operation in BATCHES else [*_KINDS]
        return self._rng.choice(kinds)
