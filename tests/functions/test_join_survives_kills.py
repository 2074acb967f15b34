"""The join killed at any of its AWS calls, before the call or after it took effect, and delivered again."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.hooks import HierarchicalEmitter

from hindsight.adapters.predictions_table import label_store, prediction_items
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.bootstrap import clients, labelling, stores
from hindsight.entities.feedback import Feedback
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.archiving.key_entries import KeyEntries
from hindsight.labels.joining.match_requests import match_message, parse_match
from tests.unit.labels.builders import (
    ANNOTATION,
    DEMAND,
    EXPOSED_DEFAULT,
    NOON,
    RETENTION,
    THUMB,
    at,
    configuration,
    event,
    prediction,
)

pytestmark = pytest.mark.usefixtures("deployed")

Steps = list[Callable[[], object]]
MOMENTS = ("before-call", "after-call")
OF_ONE_LIFE = {"pk", "sk", "model", "revision", "due_shard"}


@pytest.fixture(autouse=True)
def few_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two shards in place of 32: a life has a quarter of the calls at which it can be killed, and none twice."""
    for module in (prediction_items, label_store):
        monkeypatch.setattr(module, "DUE_SHARDS", 2)


class Killed(BaseException):
    """The process ends here; nothing in it may catch this."""


class Fuse:
    """Counts the AWS calls of a process and kills it at one of them; None lets all pass."""

    def __init__(self, burns_at: int | None = None) -> None:
        self.calls = 0
        self.burns_at = burns_at

    def __call__(self, **_: Any) -> None:
        self.calls += 1
        if self.calls - 1 == self.burns_at:
            raise Killed


@contextmanager
def watched(moment: str, fuse: Fuse) -> Iterator[None]:
    """Let a fuse see every AWS call of the deployment, before it is made or once it has been."""
    emitters: list[HierarchicalEmitter] = [clients.client(name).meta.events for name in ("dynamodb", "s3")]
    for emitter in emitters:
        emitter.register_first(moment, fuse)
    try:
        yield
    finally:
        for emitter in emitters:
            emitter.unregister(moment, fuse)


def happening(name: str, value: Any, model: str, *, about: str = "p-1", **when: Any) -> Feedback:
    return event(name, value, model=model, prediction_id=about, **when)


def write(model: str, name: str, *events: Feedback) -> str:
    key = f"feedback/date=2026-03-01/{model}-{name}.gz"
    stores.lake().write_bytes(key, gzip.compress(b"".join(map(feedback_line, events))), "application/x-ndjson")
    return key


def log(model: str, *names: str, hours: float = 0) -> None:
    found = stores.configurations().current(model).configuration
    reader = labelling.instance_reader(found, at(hours), served={})
    rows = [
        {
            "prediction_id": name,
            "features": {"hour": "17", "temperature": 0.3},
            "score": 0.7,
            "model_version": "v1",
            "occurred_at": at(hours).isoformat(),
        }
        for name in names
    ]
    labelling.prediction_log().take(reader, rows)


def mature(model: str, hours: float) -> None:
    for keys in stores.label_store().due(model, at(hours)):
        labelling.label_joiner().close_windows(keys, at(hours))


def life_of(model: str) -> Steps:
    """List the events of three predictions: early, late, repeated, conflicting and retracted feedback, the clock."""
    stores.configurations().put(configuration(ANNOTATION, DEMAND, THUMB, default=EXPOSED_DEFAULT, model=model), NOON)
    first = write(
        model,
        "first",
        happening("thumb", "up", model, received=2),
        happening("demand", 150, model, hours=3, feedback_id="f-1"),
        happening("demand", 150, model, hours=3, received=4, feedback_id="f-1"),
        happening("exposed", None, model, about="p-2"),
        happening("thumb", "down", model, about="early"),
    )
    second = write(
        model,
        "second",
        happening("demand", 70, model, hours=5, feedback_id="f-1", digest="another body"),
        happening("retracted", "f-1", model, hours=6),
        happening("annotation", 1, model, about="p-2", hours=300),
        happening("demand", 20, model, about="unknown", hours=7),
    )
    return [
        lambda: log(model, "p-1", "p-2"),
        lambda: labelling.feedback_files().join(first),
        lambda: log(model, "early", hours=1),
        lambda: mature(model, 50),
        lambda: labelling.feedback_files().join(second),
        lambda: mature(model, 400),
    ]


def live(steps: Steps) -> None:
    """Do every step; one whose process is killed is done again, as its event is delivered again."""
    for step in steps:
        try:
            step()
        except Killed:
            step()


def taken(model: str) -> dict[str, Any]:
    """Take out all that is left of a model: its items, without the count of its joins, and what was set aside."""
    table: Any = boto3.resource("dynamodb").Table("predictions")
    items = {}
    for item in table.scan()["Items"]:
        if item["pk"] == f"{model}#":  # what its effects count, each event once at most
            table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
            continue
        assert item["model"] == model
        place = item["pk"].replace(f"{model}#", "", 1), item["sk"]
        items[place] = {name: value for name, value in item.items() if name not in OF_ONE_LIFE}
        table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
    aside = set()
    for found in boto3.resource("s3").Bucket("lake").objects.filter(Prefix="quarantine/"):
        for row in stores.lake().read_lines(found.key):
            sent = row["event"]
            aside.add((row["code"], sent["prediction_id"], sent["feedback_id"], sent["body_digest"]))
        found.delete()
    return {"items": items, "aside": aside}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_aws_call_and_delivered_again_a_join_ends_as_if_nothing_had_happened(moment: str) -> None:
    steps, whole = life_of("whole"), Fuse()
    with watched(moment, whole):
        live(steps)
    expected = taken("whole")
    assert {item.get("status") for item in expected["items"].values()} >= {"final", "provisional"}
    assert {code for code, *_ in expected["aside"]} == {"conflict", "unmatched"}

    assert whole.calls > 25
    for number in range(whole.calls):
        model = f"killed-{number}"
        steps, fuse = life_of(model), Fuse(number)
        with watched(moment, fuse):
            live(steps)

        assert fuse.calls > number, "the fuse never burnt"
        assert taken(model) == expected, f"killed at call {number}"


def life_by_key(model: str, asked: list[str]) -> Steps:
    """List the events of one prediction and one event of its entity: whichever comes first, each delivered at will."""
    churned = {"event": "churned", "kind": "outcome", "by": "entity", "window": "P30D", "value": 1}
    stores.configurations().put(configuration(churned, model=model), NOON)
    events = [
        event("churned", feedback_id=name, model=model, hours=hours, received=9).replace(
            prediction_id=None, entity_id="customer-17"
        )
        for name, hours in (("early", 3), ("late", 4))
    ]
    first, second = (write(model, one.feedback_id, one) for one in events)
    made = prediction("p-1", 2, model=model, entity_id="customer-17", received_at=at(10))
    matcher, configurations = labelling.key_matcher(), stores.configurations()
    entries = KeyEntries(matcher, configurations, lambda request: asked.append(match_message(request)))

    def match() -> None:
        for message in asked:
            request = parse_match(message)
            assert request is not None
            labelling.feedback_joiner().join_predictions(request, lambda: True)

    return [
        lambda: labelling.feedback_files().join(first),
        lambda: DynamoPredictions("predictions", boto3.client("dynamodb")).save([made], RETENTION),
        lambda: entries.enter([made]),
        match,
        lambda: labelling.feedback_files().join(second),
    ]


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_aws_call_a_match_by_entity_ends_as_if_nothing_had_happened(moment: str) -> None:
    steps, whole = life_by_key("whole", []), Fuse()
    with watched(moment, whole):
        live(steps)
    expected = taken("whole")
    kinds = [sort_key.partition("#")[0] for _, sort_key in expected["items"]]
    assert sorted(kinds) == ["at", "at", "event", "event", "feedback", "feedback", "label", "prediction", "prediction"]

    assert whole.calls > 20
    for number in range(whole.calls):
        model = f"killed-{number}"
        steps, fuse = life_by_key(model, []), Fuse(number)
        with watched(moment, fuse):
            live(steps)

        assert fuse.calls > number, "the fuse never burnt"
        assert taken(model) == expected, f"killed at call {number}"
