"""The cost of one prediction and its feedback, counted: the product's own adapters over moto, units as AWS bills them.

The model is an ordinary one: twenty numeric features, an outcome that may come within two days, a thumb within seven,
and a default for silence. An outcome then is provisional until its window closes: the dearest way there is.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from moto import mock_aws

from bench.capacity.counting import TABLE, CountingClient
from hindsight.adapters.predictions_table.label_store import DynamoLabels
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.config.parse import parse_configuration
from hindsight.config.store import ConfigurationRevision
from hindsight.entities.feedback import Feedback
from hindsight.entities.prediction import Prediction, body_digest
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.joining.entity_limit import EntityLimits
from hindsight.labels.joining.join import LabelJoiner
from hindsight.labels.resolve import first_due_at
from hindsight.labels.rules import ready_rules
from hindsight.quarantine.store import Quarantine
from hindsight.testing.predictions.effects import InMemoryEffects
from local.template import load_template

ROWS = 20
FEATURES = 20
RETENTION = timedelta(days=400)
START = datetime(2026, 3, 1, tzinfo=UTC)
CLOSED_AT = START + timedelta(days=30)
RULES = {
    "model": "bike-demand",
    "task": "binary",
    "features": {f"feature_{number}": {"type": "numeric"} for number in range(FEATURES)},
    "labels": {
        "rules": [
            {"event": "thumb", "kind": "explicit", "window": "P7D", "map": {"up": 1, "down": 0}},
            {"event": "demand", "kind": "outcome", "window": "P2D", "positive": {"greater_than": 100}},
        ],
        "default": {"value": 0, "after": "P7D"},
    },
}

Units = dict[str, float]


def count() -> dict[str, Units]:
    """Count the units of each step, a prediction: saved by itself or in a batch, joined, closed by the clock."""
    rows = [prediction_named(f"0198c1f2-{number:04d}-7cc1-9d4e-2a6b5c7d8e9f") for number in range(ROWS)]
    counts = {}
    with _client() as client:
        store = DynamoPredictions(TABLE, client)  # type: ignore[arg-type]
        counts["saved in a call of one"] = _counted(
            client, lambda: [store.save([row], RETENTION, _due_at) for row in rows]
        )
    with _client() as client:
        store = DynamoPredictions(TABLE, client)  # type: ignore[arg-type]
        joiner = _joiner(client)
        counts["saved in a full call"] = _counted(client, lambda: store.save(rows, RETENTION, _due_at))
        events = [feedback_of(row) for row in rows]
        counts["joined with its outcome"] = _counted(client, lambda: joiner.join(events))
        keys = [row.key for row in rows]
        counts["closed by the clock"] = _counted(client, lambda: joiner.close_windows(keys, CLOSED_AT))
    with _client() as client:
        store, joiner = DynamoPredictions(TABLE, client), _joiner(client)  # type: ignore[arg-type]
        store.save(rows, RETENTION, _due_at)
        counts["given its default"] = _counted(client, lambda: joiner.close_windows(keys, CLOSED_AT))
        counts["a line of feedback"] = {"bytes": sum(map(len, map(feedback_line, events))) / ROWS}
    return counts


def _counted(client: CountingClient, work: Any) -> Units:
    client.units.clear()
    work()
    return {name: units / ROWS for name, units in sorted(client.units.items())}


@contextmanager
def _client() -> Iterator[CountingClient]:
    """Make the predictions table as the template declares it."""
    declared = load_template()["Resources"]["PredictionsTable"]["Properties"]
    with mock_aws():
        client: Any = boto3.client(
            "dynamodb",
            region_name="eu-west-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",  # noqa: S106  # nosec
        )
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            **{name: declared[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")},
        )
        yield CountingClient(client)


def _joiner(client: CountingClient) -> LabelJoiner:
    nothing: Any = _Nothing()
    labels: Any = DynamoLabels(TABLE, client)  # type: ignore[arg-type]
    return LabelJoiner(labels, Quarantine(nothing), nothing, EntityLimits(nothing), InMemoryEffects())


class _Nothing:
    """The configuration of the model, a lake without writes, and allowances without readers."""

    def current(self, model: str) -> ConfigurationRevision:
        return ConfigurationRevision(1, parse_configuration(RULES))


def _due_at(prediction: Prediction) -> datetime | None:
    configuration = parse_configuration(RULES)
    return first_due_at(prediction, ready_rules(configuration.labels, configuration.task))


def prediction_named(name: str) -> Prediction:
    """Build a prediction of the model."""
    dice = random.Random(name)
    return Prediction(
        model="bike-demand",
        prediction_id=name,
        features={f"feature_{number}": round(dice.uniform(0, 100), 3) for number in range(FEATURES)},
        score=dice.random(),
        decision=1,
        model_version="20260301T120000Z-5e1c7a",
        occurred_at=START,
        received_at=START,
        outcome_due_at=START + timedelta(days=2),
        body_digest=body_digest({"name": name}),
    )


def feedback_of(prediction: Prediction) -> Feedback:
    """Build the outcome of a prediction, five hours later."""
    moment = START + timedelta(hours=5)
    return Feedback(
        model=prediction.model,
        prediction_id=prediction.prediction_id,
        feedback_id=f"{prediction.prediction_id}-demand",
        name="demand",
        value=150,
        occurred_at=moment,
        received_at=moment,
        source="meter",
        body_digest=body_digest({"value": 150}),
    )


def total(*parts: Units) -> Units:
    """Add up the units of some steps.

    >>> total({"reads": 1.0}, {"reads": 0.5})
    {'reads': 1.5}
    """
    added = Counter[str]()
    for part in parts:
        added.update(part)
    return {name: float(units) for name, units in added.items()}
