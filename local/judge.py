"""Judging a model of one's own: the holdout of a dataset, scored here, and the gate's verdict on the scores."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from hindsight.config.metrics import Task
from hindsight.core.errors import HindsightError
from hindsight.datasets.formats.record_table import FEATURE_PREFIX
from local.client import StackClient
from local.scorers import Scorer, answers_of


class NotJudged(HindsightError):
    """The version cannot be judged; the message says what to mend."""

    code = "not_judged"


@dataclass(frozen=True, slots=True)
class Holdout:
    """The rows of a dataset's holdout as a trainer gets them: their ids, and their features by name."""

    dataset_id: str
    task: Task
    prediction_ids: list[str]
    frame: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Judge:
    """The judge of versions of one model, through the API of a stack."""

    client: StackClient
    model: str

    def holdout(self, dataset_id: str | None) -> Holdout:
        """Fetch a holdout: of the dataset named, else of the one that a run waits for, else of the newest.

        Raises CallFailed, and NotJudged where there is none.
        """
        name = dataset_id or self._waited_for() or self._newest()
        shown = self._get(f"/datasets/{name}")
        link = shown["parts"]["holdout"].get("url")
        if link is None:
            raise NotJudged(f"{name} has expired: its rows are gone")
        with tempfile.TemporaryDirectory(prefix="judge-") as folder:
            part = Path(folder) / "holdout.parquet"
            self.client.download(link, part)
            rows = duckdb.read_parquet(str(part)).df()
        columns = [feature for feature, _ in shown["manifest"]["columns"] if FEATURE_PREFIX + feature in rows]
        frame = rows[[FEATURE_PREFIX + feature for feature in columns]].set_axis(columns, axis=1)
        return Holdout(name, Task(shown["manifest"]["task"]), rows["prediction_id"].tolist(), frame)

    def register(self, version: str, holdout: Holdout, scorer: Scorer, description: str | None) -> dict[str, Any]:
        """Score a holdout, register the version with the scores and return it with its verdict.

        Raises UnusableScores for what the scorer returned, CallFailed.
        """
        answers = answers_of(scorer, holdout.frame, holdout.task)
        lines = (
            json.dumps({"prediction_id": name, **answer})
            for name, answer in zip(holdout.prediction_ids, answers, strict=True)
        )
        signed = self._post("/uploads")
        self.client.upload(signed["url"], "\n".join(lines).encode())
        described = {} if description is None else {"description": description}
        body = {"version": version, "dataset_id": holdout.dataset_id, "holdout_scores_key": signed["key"]}
        made = self._post("/versions", body | described)
        return self._get(f"/versions/{version}") | {"run": made.get("decision_id")}

    def _waited_for(self) -> str | None:
        waiting = self._get("")["waiting_for_version"]
        return None if waiting is None else str(waiting["dataset_id"])

    def _newest(self) -> str:
        found = self._get("/datasets?limit=1")["datasets"]
        if not found:
            raise NotJudged(f"{self.model} has no dataset yet: POST .../retrain takes one")
        return str(found[0]["dataset_id"])

    def _get(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.call("GET", f"models/{self.model}{path}", key="operator")
        return found

    def _post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        made: dict[str, Any] = self.client.call(
            "POST", f"models/{self.model}{path}", key="operator", json=dict(body or {})
        )
        return made


def verdict_lines(version: Mapping[str, Any]) -> Iterator[str]:
    """Write a version's verdict, check by check."""
    gate = version["gate"]
    for check in gate["checks"]:
        yield f"{'passed' if check['passed'] else 'FAILED'}  {check['name']}: {check['detail']}"
    for note in gate["notes"]:
        yield f"note    {note}"
    against = f", compared with {gate['compared_with']}" if gate.get("compared_with") else ""
    goes_on = f"; the run {version['run']} goes on with it" if version["run"] else ""
    yield f"{version['version']}: {gate['verdict']}{against}{goes_on}"
