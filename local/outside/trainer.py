"""The trainer outside: the example's script, and the mistakes that people make with it."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import requests
from skops.io import load

from local.client import CallFailed, StackClient
from local.commands.env import local_variables
from local.outside.servers import EXAMPLES
from local.outside.world import Delivery, chance, draw_features

_ROWS = 3_000
_TIMEOUT_SECONDS = 60
SURE, UNSURE, DECISION = 0.95, 0.05, 0.5


@dataclass(frozen=True, slots=True)
class Trainer:
    """The training script of the example as a process of its own, and the folder that the server reads."""

    client: StackClient
    model: str
    versions: Path

    def answer(self, version: str) -> str:
        """Let the script answer the run that waits; return what it printed."""
        return self._run(version)

    def make(self, version: str, *, has_drifted: bool, is_broken: bool = False) -> None:
        """Make a version of rows of one's own; in a broken one the answers are mixed up."""
        rng = random.Random(version)  # noqa: S311  a made-up world  # nosec
        rows = []
        for _ in range(_ROWS):
            features = draw_features(rng)
            late = rng.random() < chance(features, has_drifted=has_drifted)
            rows.append({**{f"feature.{name}": value for name, value in features.items()}, "label": late != is_broken})
        path = self.versions / f"{version}.parquet"
        duckdb.from_df(pd.DataFrame(rows)).write_parquet(str(path))
        self._run(version, str(path))

    def forge(self, version: str, truths: dict[str, Delivery]) -> str:
        """Answer the run that waits by a version that knows the holdout's answers, and nothing of any other."""
        self.make(version, has_drifted=True, is_broken=True)
        asked = self.client.call("GET", f"models/{self.model}", key="operator")["waiting_for_version"]
        dataset_id = asked["dataset_id"]
        parts = self.client.call("GET", f"models/{self.model}/datasets/{dataset_id}", key="operator")["parts"]
        path = self.versions / "holdout.parquet"
        self.client.download(parts["holdout"]["url"], path)
        names = [name for (name,) in duckdb.read_parquet(str(path)).project("prediction_id").fetchall()]
        rows = [{"prediction_id": name, "score": SURE if truths[name].is_late else UNSURE} for name in names]
        upload = self.client.call("POST", f"models/{self.model}/uploads", key="operator")
        sent = requests.put(upload["url"], "\n".join(map(json.dumps, rows)).encode(), timeout=_TIMEOUT_SECONDS)
        sent.raise_for_status()
        body = {"version": version, "dataset_id": dataset_id, "holdout_scores_key": upload["key"]}
        return str(self.client.call("POST", f"models/{self.model}/versions", key="operator", json=body)["verdict"])

    def decide(self, version: str, asked: Sequence[Delivery]) -> list[int]:
        """Decide by a version what it would have answered."""
        model = load(self.versions / f"{version}.skops")
        return [int(score >= DECISION) for score in model.predict_proba([one.features for one in asked])[:, 1]]

    def _run(self, *arguments: str) -> str:
        environment = local_variables(self.client.stack) | {"MODEL": self.model, "VERSIONS": str(self.versions)}
        ended = subprocess.run(  # noqa: S603  the example, by our own interpreter  # nosec
            [sys.executable, EXAMPLES / "train.py", *arguments],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise CallFailed(f"the training script failed: {ended.stderr[-500:]}")
        return ended.stdout.strip()
