"""The latency of operators' requests with months behind a model: 90 data sets, 100,000 labels a day.

The past is put where the product keeps it, by the product's own stores and the stack's clients: settled days, a day of
arrivals as the stream's shards leave them, data sets with their index, versions. Then the two requests that look back
are made again and again: one to retrain, which is held back for want of labels once they are counted, and one to
explain a prediction that every data set holds. ``python -m bench.request_latency`` runs a separate stack; ``measure``
takes any.
"""

import math
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from hindsight.adapters.models_table.member_table import DynamoMembers
from hindsight.adapters.models_table.new_label_table import DynamoNewLabels
from hindsight.adapters.models_table.registry_table import DynamoRegistry
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.core.times import hour_of, moment_name
from hindsight.datasets.members import ROWS_A_BUCKET, Member, bucket_of, spread
from hindsight.entities.prediction import Prediction
from hindsight.labels.archiving.new_label_counts import HOUR, MINUTES, NewLabel, arrivals_of
from hindsight.labels.archiving.new_labels import SETTLES_AFTER, NewLabels
from hindsight.registry.version import DatasetRecord, Verdict, VersionRecord
from local.client import StackClient
from local.stack import running_stack

MODEL = "long-lived"
PREDICTION = "asked-about"
FEATURES = 20
DATASETS = 90
LABELS_A_DAY = 100_000
DATASET_ROWS = 100_000
CALLS = 100
SHARDS = 4
SHARD_SECONDS = 60
SEED = 7
_DAY = timedelta(days=1)
# More than there are: each request counts, and starts no run.
_NEVER = 1_000_000_000


def measure(
    client: StackClient, *, datasets: int = DATASETS, labels_a_day: int = LABELS_A_DAY, calls: int = CALLS
) -> dict[str, Any]:
    """Prepare the past of a model in a stack, and return how long its two requests take, in seconds.

    Raises CallFailed if one is refused, ValueError if one does not answer as the past demands.
    """
    now = datetime.now(UTC)
    past = Past(client, now)
    past.configure()
    past.keep_labels(labels_a_day)
    past.keep_datasets(datasets)
    explained = _timed(calls, past.explain)
    asked = _timed(calls, past.ask)
    if any(len(answer["datasets"]) != datasets for _, answer in explained):
        raise ValueError("an answer does not name every data set")
    counted = past.counted()
    if counted < (datasets - 2) * labels_a_day:
        raise ValueError(f"{counted} labels were counted")
    return {
        "retrain_answer_p99_seconds": _quantile(asked, 0.99),
        "retrain_answer_p50_seconds": _quantile(asked, 0.5),
        "explain_p99_seconds": _quantile(explained, 0.99),
        "explain_p50_seconds": _quantile(explained, 0.5),
        "new_labels": counted,
        "datasets": datasets,
        "labels_a_day": labels_a_day,
        "calls": calls,
    }


@dataclass(frozen=True, slots=True)
class Past:
    """The history of a model."""

    client: StackClient
    now: datetime

    def configure(self) -> None:
        """Configure the model, and log the prediction that is asked about."""
        document = {
            "model": MODEL,
            "task": "binary",
            "features": {f"x{number}": {"type": "numeric"} for number in range(FEATURES)},
            "labels": {"rules": [{"event": "outcome", "kind": "outcome", "window": "P1D"}]},
            "triggers": {"schedule": None, "volume": None, "min_new_labels": _NEVER, "cooldown": "PT0S"},
            "training": {"window": "P120D"},
        }
        self.client.call("PUT", f"models/{MODEL}", key="operator", json=document)
        occurred = self.now - 120 * _DAY
        prediction = Prediction(
            model=MODEL,
            prediction_id=PREDICTION,
            features={f"x{number}": number / 7 for number in range(FEATURES)},
            score=0.5,
            decision=1,
            model_version="v1",
            occurred_at=occurred,
            received_at=occurred,
            outcome_due_at=occurred + _DAY,
            body_digest="0" * 32,
        )
        DynamoPredictions(self._table("Predictions"), self._dynamodb).save([prediction], 400 * _DAY)

    def keep_labels(self, a_day: int) -> None:
        """Keep settled days, and arrivals of the hours that the stream could still deliver again."""
        store, settled = DynamoNewLabels(self._table("Models"), self._dynamodb), hour_of(self.now - SETTLES_AFTER)
        each = [math.ceil(a_day / MINUTES)] * MINUTES
        for number in range(2, DATASETS + 2):
            store.add(MODEL, (self.now - number * _DAY).date(), settled - HOUR, each)
        store.advance(MODEL, settled=settled)
        store.note([found for batch in self._batches(settled, a_day) for found in arrivals_of(batch)])
        # As the hourly check of the triggers leaves the hours that are over.
        NewLabels(store).condense(MODEL, self.now)

    def keep_datasets(self, count: int) -> None:
        """Keep a data set a day, each of which holds the prediction, and the version trained on it."""
        registry = DynamoRegistry(self._table("Models"), self._dynamodb)
        members = DynamoMembers(self._table("Models"), self._dynamodb)
        buckets = DATASET_ROWS // ROWS_A_BUCKET
        bucket = bucket_of(PREDICTION, buckets)
        # Of each index the bucket that is asked, as full as it would be; one more makes no request slower.
        held = spread([Member(f"row-{number}", "train", 1) for number in range(ROWS_A_BUCKET)], 1)[0]
        [asked] = spread([Member(PREDICTION, "train", 1)], buckets).values()
        for number in range(count):
            as_of = self.now - number * _DAY
            dataset_id = f"d{moment_name(as_of)}-{number:012d}"
            members.replace(MODEL, dataset_id, {bucket: held + asked})
            registry.put_dataset(MODEL, _dataset(dataset_id, as_of, buckets))
            registry.put_version(MODEL, _version(dataset_id, as_of))

    def explain(self) -> Any:
        """Ask about the prediction."""
        return self.client.call("GET", f"models/{MODEL}/predictions/{PREDICTION}", key="operator")

    def ask(self) -> Any:
        """Ask for a run."""
        return self.client.call("POST", f"models/{MODEL}/retrain", key="operator", json={"reason": "how long?"})

    def counted(self) -> int:
        """Read the number of labels that the newest decision counted."""
        answer = self.client.call("GET", f"models/{MODEL}/decisions?limit=1", key="operator")
        counted: int = answer["decisions"][0]["new_labels"]
        return counted

    def _batches(self, start: datetime, a_day: int) -> Iterator[list[NewLabel]]:
        """Build the shards' batches, each of as many seconds as a shard waits for."""
        rng, pause = random.Random(SEED), timedelta(seconds=SHARD_SECONDS)
        share = a_day * SHARD_SECONDS / _DAY.total_seconds() / SHARDS
        for slot in range((self.now - start) // pause):
            arrived = start + slot * pause
            for shard in range(SHARDS):
                count = int(share) + (rng.random() < share % 1)
                if count:
                    yield [
                        NewLabel(MODEL, f"{slot}-{shard}-{number}", arrived, arrived + rng.random() * pause)
                        for number in range(count)
                    ]

    @property
    def _dynamodb(self) -> Any:
        return self.client.aws("dynamodb")

    def _table(self, name: str) -> str:
        return self.client.stack.outputs[f"{name}Table"]


def _dataset(dataset_id: str, as_of: datetime, buckets: int) -> DatasetRecord:
    rows = {"rows": DATASET_ROWS // 2, "classes": {"0": DATASET_ROWS // 4, "1": DATASET_ROWS // 4}}
    dropped = {"unlabelled": 1, "unusable_value": 0, "beyond_max_rows": 0, "gap": 0}
    return DatasetRecord(
        dataset_id=dataset_id,
        manifest_key=f"datasets/model={MODEL}/{dataset_id}/manifest.json",
        digest="0" * 64,
        as_of=as_of,
        configuration_revision=1,
        counts={"train": rows, "holdout": rows, "dropped": dropped},
        buckets=buckets,
    )


def _version(dataset_id: str, at: datetime) -> VersionRecord:
    metrics = {f"metric_{number}": number / 7 for number in range(12)}
    candidates = tuple({"candidate": name, "validation_score": 0.9, "note": "n" * 200} for name in ("a", "b", "c"))
    version = f"v{moment_name(at)}-00000000-linear"
    return VersionRecord(
        version=version,
        created_at=at,
        candidate="logistic_regression",
        decision_id=dataset_id,
        dataset_id=dataset_id,
        configuration_revision=1,
        code_version="bench",
        artifact_key=f"models/model={MODEL}/version={version}/model.skops",
        artifact_digest="0" * 64,
        verdict=Verdict.REJECT,
        metrics=metrics,
        champion_metrics=metrics,
        candidates=candidates,
    )


def _timed(calls: int, call: Callable[[], Any]) -> list[tuple[float, Any]]:
    """Measure the latency of some calls, with their responses, the first few left out: they start processes."""
    found = []
    for number in range(calls + 3):
        begin = time.perf_counter()
        answer = call()
        if number >= 3:
            found.append((time.perf_counter() - begin, answer))
    return found


def _quantile(timed: list[tuple[float, Any]], share: float) -> float:
    seconds = sorted(spent for spent, _ in timed)
    return round(seconds[math.ceil(share * len(seconds)) - 1], 3)


def main() -> None:
    """Measure on a separate stack and show the figures."""
    folder = Path(tempfile.mkdtemp(prefix="request-latency-"))
    try:
        with running_stack(folder) as stack:
            Console().print(measure(StackClient(stack)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
