"""The cost of a customer's key: derived from the use of each service by its documentation.

DynamoDB keeps a table's key for five minutes a principal, a queue its data key for five minutes as well: each
principal costs a request for each five minutes in which it uses a resource, two where it must have a data key made.
How long S3's bucket keys, Firehose and CloudWatch's log groups keep theirs is not said; they are counted likewise.
"""

from collections.abc import Iterable

from bench.cost.meter import Invocation
from bench.cost.prices import price_list

REUSED_SECONDS = 300.0
# Services whose senders ask for a data key, which the service decrypts again.
_MADE = {"sqs", "firehose", "sns"}
# Every use asks the key.
_EACH_USE = {"secretsmanager", "events", "start"}


def key_requests(invocations: Iterable[Invocation]) -> float:
    """Count what asks the key, for invocations with what they used."""
    held: set[tuple[str, str, str, int]] = set()
    requests = 0.0
    for one in invocations:
        for service, resource in one.uses:
            slot = (one.kind, service, resource, int(one.at // REUSED_SECONDS))
            if service in _EACH_USE or slot not in held:
                requests += 2 if service in _MADE or service == "events" else 1
            held.add(slot)
    return requests


def dollars_of_a_key(requests: float) -> float:
    """Compute what the key and so many requests cost a month."""
    prices = price_list()["prices"]
    return float(prices["key_months"]["dollars"] + requests * prices["key_requests"]["dollars"])
