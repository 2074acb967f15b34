"""A busy model's past: imported, one of its entities erased, its labels made again by another rule.

Each prediction of the past has a separate outcome, so that each label is known; the entity that is erased has one
prediction on every day.
"""

import gzip
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.account.phase import Phase, close_windows, settled, wait_for_queues
from hindsight.core.times import format_time
from local.client import StackClient
from local.file_import import ImportFile, upload_and_wait
from local.job_end import start_and_wait

MODEL = "busy"
FIRST = datetime(2025, 6, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
ENTITY = "entity-erased"
ENTITIES = 500
# A prediction's outcome is its number modulo this; the rule is positive from a threshold on.
VALUES = 10
THRESHOLD, OTHER_THRESHOLD = 5, 3
# Of a label's history: that of the import, that of the relabelling, and one that must not be.
_LABELS = 3
_KEYS_A_CALL, _READERS = 100, 4
_WANTED: dict[str, Any] = {
    "ProjectionExpression": "pk, sk, feedback_id, seq, #value, is_placeholder",
    "ExpressionAttributeNames": {"#value": "value"},
}
_FILES, _PATIENCE_SECONDS, _DRAIN_SECONDS = 5, 900.0, 300.0


class Past:
    """A number of rows over a number of days, three predictions for every two outcomes."""

    def __init__(self, client: StackClient, rows: int, days: int) -> None:
        self._client, self.rows, self.days = client, rows, days
        self.predictions = rows * 3 // 5
        self.outcomes = rows - self.predictions

    def bring_in(self, folder: Path) -> Phase:
        """Import the files of the past, and hold what is stored against them."""
        phase = Phase("import", sent=self.rows)
        self._configure(THRESHOLD)
        files = list(self._files(folder))
        with phase.timed():
            done = upload_and_wait(self._client, MODEL, files, _PATIENCE_SECONDS)
            wait_for_queues(self._client, _PATIENCE_SECONDS)
        refused = sum(job["result"]["rejected"] for job in done)
        phase.count("missing", [f"{refused} lines were rejected"] * refused)
        return self._settled(phase, THRESHOLD)

    def pack(self) -> Phase:
        """Pack the small objects of the past as its schedule does every hour; what they held is there still."""
        phase = Phase("packing", sent=self.rows)
        before = sum(1 for _ in self._client.lake.keys(f"predictions/model={MODEL}/"))
        with phase.timed():
            while not self._client.run_schedule("PackObjects", NOW, MODEL)["is_complete"]:
                time.sleep(1.0)
            wait_for_queues(self._client, _PATIENCE_SECONDS)
        after = sum(1 for _ in self._client.lake.keys(f"predictions/model={MODEL}/"))
        phase.figures = {"objects_before": before, "objects_after": after}
        return self._settled(phase, THRESHOLD)

    def erase(self) -> Phase:
        """Erase the entity that has a prediction on every day; the others stay whole."""
        phase = Phase("erasure", sent=self.days)
        body = {"reason": "asked for", "occurred_at": format_time(NOW)}
        began = time.monotonic()
        with phase.timed():
            start_and_wait(self._client, MODEL, "DELETE", f"entities/{ENTITY}", patience=_PATIENCE_SECONDS, body=body)
            phase.figures["erasure_seconds"] = round(time.monotonic() - began, 1)
            wait_for_queues(self._client, _PATIENCE_SECONDS)
        phase.figures["profiled_again_seconds"] = round(time.monotonic() - began, 1)
        return self._settled(phase, THRESHOLD, is_erased=True)

    def relabel(self) -> Phase:
        """Relabel the whole past by another rule."""
        phase = Phase("relabelling", sent=self.outcomes)
        self._configure(OTHER_THRESHOLD)
        body = {"reason": "the threshold was wrong", "occurred_at": format_time(NOW + timedelta(days=1))}
        with phase.timed():
            ended = start_and_wait(self._client, MODEL, "POST", "relabel", patience=_PATIENCE_SECONDS, body=body)
            wait_for_queues(self._client, _PATIENCE_SECONDS)
        if ended["status"] != "completed":
            phase.unexplained.append(f"relabelling: {ended['status']}: {ended.get('failure')}")
        phase.figures = {"files": ended["progress"]["done"], "changed": ended["result"]["labels_changed"]}
        return self._settled(phase, OTHER_THRESHOLD, is_erased=True)

    def _configure(self, threshold: int) -> None:
        rule = {"event": "demand", "kind": "outcome", "window": "P1D", "positive": {"greater_than": threshold - 1}}
        document = {
            "model": MODEL,
            "task": "binary",
            "features": {"x": {"type": "numeric"}},
            "labels": {"rules": [rule]},
            "review": {"random_rate": 0},
            "retention": "P3650D",
            "triggers": {"schedule": None, "volume": None, "drift": False, "performance": False},
        }
        self._client.call("PUT", f"models/{MODEL}", key="operator", json=document)

    def made_at(self, number: int) -> datetime:
        """Compute the time of a prediction: they are spread over the days evenly."""
        return FIRST + number * timedelta(days=self.days) / self.predictions

    def is_theirs(self, number: int) -> bool:
        """Recognise the first prediction of its day, which is the erased entity's."""
        return number == 0 or self.made_at(number).date() != self.made_at(number - 1).date()

    def _files(self, folder: Path) -> Iterator[ImportFile]:
        for part in range(_FILES):
            for kind, count, line in (
                ("predictions", self.predictions, self._prediction),
                ("feedback", self.outcomes, self._outcome),
            ):
                path = folder / f"{kind}-{part}.jsonl.gz"
                with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
                    file.writelines(json.dumps(line(number)) + "\n" for number in range(part, count, _FILES))
                yield ImportFile(path, kind)

    def _prediction(self, number: int) -> dict[str, Any]:
        return {
            "prediction_id": f"p{number:06d}",
            "entity_id": ENTITY if self.is_theirs(number) else f"entity-{number % ENTITIES}",
            "features": {"x": number % 97 / 97},
            "score": 0.5,
            "model_version": "past",
            "occurred_at": format_time(self.made_at(number)),
        }

    def _outcome(self, number: int) -> dict[str, Any]:
        moment = format_time(self.made_at(number) + timedelta(hours=1))
        about = {"prediction_id": f"p{number:06d}", "occurred_at": moment, "received_at": moment}
        return {"feedback_id": f"f{number:06d}", "name": "demand", "value": number % VALUES, **about}

    def _settled(self, phase: Phase, threshold: int, *, is_erased: bool = False) -> Phase:
        def judge() -> Phase:
            close_windows(self._client, NOW, MODEL)
            found = Phase(phase.name, phase.sent, seconds=phase.seconds, figures=phase.figures)
            found.missing, found.unexplained = phase.missing, [*phase.unexplained]
            self._reckon(found, threshold, is_erased=is_erased)
            return found

        return settled(judge, _DRAIN_SECONDS)

    def _reckon(self, phase: Phase, threshold: int, *, is_erased: bool) -> None:
        """Hold table and lake against what was imported, one by one."""
        stored, events, labels, counts = self._table()
        archived = {row["prediction_id"] for row in self._lake("predictions")}
        archived_labels: dict[str, tuple[int, Any]] = {}
        for row in self._lake("labels"):
            if row["seq"] > archived_labels.get(row["prediction_id"], (0, None))[0]:
                archived_labels[row["prediction_id"]] = row["seq"], row["value"]
        for number in range(self.predictions):
            name = f"p{number:06d}"
            if is_erased and self.is_theirs(number):
                if name in stored or name in archived or name in archived_labels:
                    phase.count("lost", [f"{name} is erased, and is there"])
                continue
            if (
                name not in stored
                or name not in archived
                or (number < self.outcomes and f"f{number:06d}" not in events)
            ):
                phase.count("missing", [name])
            elif number < self.outcomes:
                wanted = int(number % VALUES >= threshold)
                if labels.get(name, (0, None))[1] != wanted or archived_labels.get(name, (0, None))[1] != wanted:
                    phase.count("lost", [f"{name}: {labels.get(name)}, {archived_labels.get(name)}, not {wanted}"])
                elif counts[name] != labels[name][0]:
                    phase.count("doubled", [name])

    def _table(self) -> tuple[set[str], set[str], dict[str, tuple[int, int]], dict[str, int]]:
        """Count predictions, events, newest labels and labels a prediction in the table."""
        stored: set[str] = set()
        events: set[str] = set()
        labels: dict[str, tuple[int, int]] = {}
        counts: dict[str, int] = {}
        for item in self._items():
            name, kind = item["pk"]["S"].partition("#")[2], item["sk"]["S"].partition("#")[0]
            if kind == "prediction" and "is_placeholder" not in item:
                stored.add(name)
            elif kind == "feedback":
                events.add(item["feedback_id"]["S"])
            elif kind == "label":
                seq = int(item["seq"]["N"])
                counts[name] = counts.get(name, 0) + 1
                if seq > labels.get(name, (0, 0))[0] and "S" in item.get("value", {}):
                    labels[name] = seq, int(json.loads(item["value"]["S"]))
        return stored, events, labels, counts

    def _items(self) -> Iterator[dict[str, Any]]:
        """Read the table's items by the keys they may be at; a scan of it all takes minutes of the emulator."""
        keys = [key for number in range(self.predictions) for key in self._keys(number)]
        calls = [keys[start : start + _KEYS_A_CALL] for start in range(0, len(keys), _KEYS_A_CALL)]
        with ThreadPoolExecutor(_READERS) as readers:
            for found in readers.map(self._get, calls):
                yield from found

    def _keys(self, number: int) -> Iterator[dict[str, Any]]:
        names = ["prediction"]
        if number < self.outcomes:
            names += [f"feedback#f{number:06d}", *(f"label#{seq:08d}" for seq in range(1, _LABELS + 1))]
        for name in names:
            yield {"pk": {"S": f"{MODEL}#p{number:06d}"}, "sk": {"S": name}}

    def _get(self, keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
        table, found = self._client.stack.outputs["PredictionsTable"], list[dict[str, Any]]()
        asked: dict[str, Any] = {table: {"Keys": keys, "ConsistentRead": True, **_WANTED}}
        while asked:
            answer = self._client.aws("dynamodb").batch_get_item(RequestItems=asked)
            found += answer["Responses"].get(table, [])
            asked = answer.get("UnprocessedKeys") or {}
        return found

    def _lake(self, kind: str) -> Iterator[dict[str, Any]]:
        for key in self._client.lake.keys(f"{kind}/model={MODEL}/"):
            if not key.endswith(".parquet"):
                yield from (row for row in self._client.lake.read_lines(key) if "prediction_id" in row)
