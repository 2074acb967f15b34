"""The reconciliation of all that was sent with the table and the lake."""

import gzip
import json
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from bench.chaos.apps import Apps
from bench.chaos.traffic import Item, Traffic, is_unreadable
from local.client import StackClient

_DESERIALIZE = TypeDeserializer().deserialize


@dataclass
class Reality:
    """The state of one model in a stack, by the ids that were sent."""

    predictions: set[str] = field(default_factory=set)
    events: dict[tuple[str, str], int] = field(default_factory=dict)
    labels: dict[str, list[Item]] = field(default_factory=dict)
    raw_events: set[str] = field(default_factory=set)
    raw_predictions: set[str] = field(default_factory=set)
    records: dict[str, Item] = field(default_factory=dict)
    quarantine: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Account:
    """The figures of one model; ``unexplained`` must stay empty: it is printed, and fails the run."""

    sent: int = 0
    acknowledged: int = 0
    stored: int = 0
    labelled: int = 0
    quarantined: int = 0
    lost: int = 0
    doubled: int = 0
    missing: int = 0
    unexplained: list[str] = field(default_factory=list)


def read_reality(client: StackClient, model: str) -> Reality:
    """Read all that a stack holds of a model."""
    found = Reality()
    pages = client.aws("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=client.stack.outputs["PredictionsTable"], ConsistentRead=True):
        for raw in page["Items"]:
            if raw["pk"]["S"].startswith(f"{model}#"):
                _add({name: _DESERIALIZE(value) for name, value in raw.items()}, found)
    for kind, add in (("feedback/", _add_raw_event), (f"predictions/model={model}/", _add_raw_prediction)):
        for row in _rows(client, kind):
            if row.get("model") == model:
                add(row, found)
    for row in _rows(client, f"labels/model={model}/"):
        known = found.records.get(row["prediction_id"])
        if known is None or known["seq"] < row["seq"]:
            found.records[row["prediction_id"]] = row
    found.quarantine = list(_rows(client, f"quarantine/model={model}/"))
    return found


def reconcile(traffic: Traffic, apps: Apps, reality: Reality) -> Account:
    """Build the figures, with every deviation."""
    account = Account()
    feedback_ids = {event["feedback_id"] for event in traffic.feedback}
    account.sent = len(traffic.predictions) + len(feedback_ids)
    account.acknowledged = len(apps.accepted | apps.rejected)
    kept = {feedback_id for _, feedback_id in reality.events}
    rejected = {event["feedback_id"] for event in traffic.feedback if is_unreadable(event)}
    aside = {feedback_id for _, feedback_id, _ in map(_quarantined, reality.quarantine)}
    account.stored = len(reality.predictions & reality.raw_predictions) + len(kept & reality.raw_events)
    _count_missing(account, apps, reality, rejected, aside)
    _count_labels(account, traffic, reality)
    _count_quarantine(account, traffic, reality)
    return account


def _count_missing(account: Account, apps: Apps, reality: Reality, rejected: set[str], aside: set[str]) -> None:
    """Count what was acknowledged and is nowhere: taken but not in the lake and the table, or refused and not kept."""
    predictions = {name for name in apps.accepted if name.startswith("p")}
    nowhere = predictions - (reality.predictions & reality.raw_predictions)
    kept = {feedback_id for _, feedback_id in reality.events}
    nowhere |= (apps.accepted - predictions) - (reality.raw_events & (kept | aside))
    nowhere |= rejected - aside
    account.missing = len(nowhere)
    account.unexplained += [f"missing: {name}" for name in sorted(nowhere)[:20]]


def _count_labels(account: Account, traffic: Traffic, reality: Reality) -> None:
    for name, expected in traffic.expected().items():
        records = reality.labels.get(name, [])
        sequence = sorted(int(record["seq"]) for record in records)
        label = json.loads(records[-1]["value"]) if records and records[-1].get("value") is not None else None
        in_lake = reality.records.get(name, {}).get("value")
        if sequence != list(range(1, len(sequence) + 1)):
            account.doubled += 1
            account.unexplained.append(f"{name}: its history counts {sequence}")
        if _same(label, expected) and _same(in_lake, expected):
            account.labelled += expected is not None
        elif name in reality.records or label is not None:
            # Not the mean of what was sent either: an event was counted twice, or is missing.
            more = len([1 for prediction, _ in reality.events if prediction == name]) > _said(traffic, name)
            account.doubled, account.lost = account.doubled + more, account.lost + (not more)
            account.unexplained.append(f"{name}: label {label}, in the lake {in_lake}, expected {expected}")
        else:
            account.lost += 1
            account.unexplained.append(f"{name}: no label, expected {expected}")


def _count_quarantine(account: Account, traffic: Traffic, reality: Reality) -> None:
    may, must = traffic.quarantined(), traffic.must_be_quarantined()
    seen = {_quarantined(row) for row in reality.quarantine}
    account.quarantined = len(seen)
    for reason, feedback_id, value in sorted(seen, key=str):
        if (feedback_id, value) not in may.get(reason, set()):
            account.unexplained.append(f"quarantined without a reason of ours: {reason} {feedback_id} {value}")
    for reason, wanted in must.items():
        put_aside = {(feedback_id, value) for found, feedback_id, value in seen if found == reason}
        for feedback_id, value in sorted(wanted - put_aside, key=str):
            account.lost += 1
            account.unexplained.append(f"not in quarantine: {reason} {feedback_id} {value}")


def _said(traffic: Traffic, name: str) -> int:
    return len({event["feedback_id"] for event in traffic.feedback if event["prediction_id"] == name})


def _same(one: Any, other: float | None) -> bool:
    if one is None or other is None:
        return one is None and other is None
    return math.isclose(float(one), other, rel_tol=1e-9, abs_tol=1e-12)


def _quarantined(row: Item) -> tuple[str, str, Any]:
    event = row.get("event") or json.loads(row["text"])
    return row["code"], event["feedback_id"], event.get("value")


def _add(item: Item, found: Reality) -> None:
    kind = item["sk"].partition("#")[0]
    if kind == "prediction" and not item.get("is_placeholder"):
        found.predictions.add(item["prediction_id"])
    elif kind == "feedback":
        key = item["prediction_id"], item["feedback_id"]
        found.events[key] = found.events.get(key, 0) + 1
    elif kind == "label":
        found.labels.setdefault(item["prediction_id"], []).append(item)


def _add_raw_event(row: Item, found: Reality) -> None:
    if "feedback_id" in row:
        found.raw_events.add(row["feedback_id"])


def _add_raw_prediction(row: Item, found: Reality) -> None:
    found.raw_predictions.add(row["prediction_id"])


def _rows(client: StackClient, prefix: str) -> Iterator[Item]:
    s3, bucket = client.aws("s3"), client.stack.outputs["LakeBucket"]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for listed in page.get("Contents", []):
            content = s3.get_object(Bucket=bucket, Key=listed["Key"])["Body"].read()
            for line in _plain(content).splitlines():
                row = _parsed(line)
                if row is not None and "#member" not in row:  # the mark of an object in a pack
                    yield row


def _plain(content: bytes) -> bytes:
    try:
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error):
        return b""  # an object that is none


def _parsed(line: bytes) -> Item | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    # A mark in a pack is no row.
    return row if isinstance(row, dict) and "#member" not in row else None
