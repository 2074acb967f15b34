"""The meter: the cost of every call of a handler, found from the call itself, its answer and what it changed."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.cost.units import firehose_bytes, index_units, item_bytes, read_units, write_units

Quantities = dict[str, float]
Change = tuple[str, dict[str, Any] | None, dict[str, Any] | None]

_S3_READS = {"GetObject", "HeadObject", "HeadBucket"}
_S3_FREE = {"DeleteObject", "DeleteObjects", "AbortMultipartUpload"}
GB = 1e9


@dataclass(slots=True)
class Call:
    """One call as a client made it and as it was answered."""

    service: str
    operation: str
    params: Mapping[str, Any]
    answer: Mapping[str, Any]
    succeeded: bool
    changes: list[Change] = field(default_factory=list)


def bill_of(call: Call, indexes: Mapping[str, list[Mapping[str, Any]]]) -> Quantities:
    """Count the units of one call."""
    if call.service == "dynamodb":
        return total([_writes(call, indexes), _reads(call)])
    if call.service == "s3":
        if call.operation in _S3_FREE:
            return {}
        return {"s3_gets" if call.operation in _S3_READS else "s3_puts": 1}
    if call.service == "firehose":
        return {"firehose_gb": firehose_bytes([record["Data"] for record in call.params["Records"]]) / GB}
    if call.service == "events":
        return {"custom_events": len(call.params["Entries"])}
    return {_FLAT[call.service]: 1} if call.service in _FLAT else {}


def total(bills: Iterable[Mapping[str, float]]) -> Quantities:
    """Add up bills.

    >>> total([{"reads": 1}, {"reads": 0.5, "writes": 2}])
    {'reads': 1.5, 'writes': 2.0}
    """
    added: defaultdict[str, float] = defaultdict(float)
    for bill in bills:
        for name, quantity in bill.items():
            added[name] += quantity
    return dict(added)


_FLAT = {"cloudwatch": "put_metric_calls", "sqs": "sqs_requests", "secretsmanager": "secret_calls"}


def _writes(call: Call, indexes: Mapping[str, list[Mapping[str, Any]]]) -> Quantities:
    units = 0
    for table, before, after in call.changes:
        size = max(item_bytes(image) for image in (before or {}, after or {}))
        # A refused condition costs what the write would have; a transaction costs twice, its indexes do not.
        units += write_units(size, transactional=call.operation.startswith("Transact"))
        if call.succeeded:
            units += sum(index_units(index, before, after) for index in indexes[table])
    return {"write_units": units} if units else {}


def _reads(call: Call) -> Quantities:
    consistent = bool(call.params.get("ConsistentRead"))
    if call.operation == "GetItem":
        units = _read([call.answer.get("Item")], consistent=consistent)
    elif call.operation == "BatchGetItem":
        units = 0.0
        for table, asked in call.params["RequestItems"].items():
            found = call.answer.get("Responses", {}).get(table, [])
            missing = [None] * (len(asked["Keys"]) - len(found))
            units += _read([*found, *missing], consistent=bool(asked.get("ConsistentRead")))
    elif call.operation in {"Query", "Scan"}:
        units = read_units(sum(map(item_bytes, call.answer.get("Items", []))), consistent=consistent)
    elif call.operation == "TransactGetItems":
        units = 2 * _read([one.get("Item") for one in call.answer.get("Responses", [])], consistent=True)
    else:
        return {}
    return {"read_units": units}


def _resources(call: Call) -> set[str]:
    """Name what a call asks for: its tables, its queue, its stream, its bucket."""
    if call.service != "dynamodb":
        names = ("QueueUrl", "DeliveryStreamName", "Bucket", "SecretId")
        return {str(next((call.params[name] for name in names if name in call.params), ""))}
    if "TransactItems" in call.params:
        return {change["TableName"] for one in call.params["TransactItems"] for change in one.values()}
    if "RequestItems" in call.params:
        return set(call.params["RequestItems"])
    return {str(call.params.get("TableName", ""))}


def _read(items: list[Any], *, consistent: bool) -> float:
    return sum(read_units(item_bytes(item) if item else 0, consistent=consistent) for item in items)


@dataclass(slots=True)
class Invocation:
    """The units of one invocation of a kind, and its time."""

    kind: str
    at: float
    phase: str
    bill: Quantities = field(default_factory=dict)
    # The services it called, each with the resource that it asked for.
    uses: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Meter:
    """The bills by kind of invocation; costs between invocations are booked on the one that caused them."""

    indexes: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    invocations: list[Invocation] = field(default_factory=list)
    series: set[tuple[str, str, int]] = field(default_factory=set)
    of_runs: set[tuple[str, str]] = field(default_factory=set)
    current: Invocation | None = None
    # What is played just now: the setup, the hours that count, the jobs of a day, a retraining.
    phase: str = "setup"
    waited: float = 0.0
    excluded: float = 0.0
    calls: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def book(self, kind: str, at: float, bill: Mapping[str, float]) -> None:
        """Book what no handler called: deliveries, polls, notifications."""
        self.invocations.append(Invocation(kind, at, self.phase, dict(bill)))

    def begin(self, kind: str, at: float) -> Invocation:
        """Book from now on what is called on an invocation of a kind."""
        self.current = Invocation(kind, at, self.phase)
        self.invocations.append(self.current)
        return self.current

    def end(self, invocation: Invocation, bill: Mapping[str, float]) -> None:
        """Add what the invocation itself cost."""
        invocation.bill = total([invocation.bill, bill])
        self.current = None

    def see(self, call: Call, latency: float) -> None:
        """Book a call on the invocation that made it."""
        with self._lock:
            self.calls += 1
            in_parallel = threading.current_thread() is not threading.main_thread()
            self.waited += latency / 8 if in_parallel else latency
            if self.current is not None:
                self.current.bill = total([self.current.bill, bill_of(call, self.indexes)])
                self.current.uses += [(call.service, resource) for resource in _resources(call)]

    def see_metric(self, name: str, dimensions: Mapping[str, str], at: float) -> None:
        """Note that a series has data in an hour."""
        key = json.dumps(dimensions, sort_keys=True)
        if self.phase == "retraining":
            self.of_runs.add((name, key))
        self.series.add((name, key, int(at // 3600)))

    def without(self, work: Callable[[], Any]) -> Any:
        """Run work that AWS would do elsewhere: its time is not the function's."""
        with self._lock:
            began = time.thread_time()
            try:
                return work()
            finally:
                self.excluded += time.thread_time() - began
