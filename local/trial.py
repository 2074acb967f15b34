"""The loop from nothing to a version that serves, a drift and a broken feature, on a local stack."""

import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.client import CallFailed, StackClient
from local.commands.env import local_variables
from local.tick import tick

EXAMPLES = Path(__file__).parents[1] / "examples"
_YAML = {"content-type": "application/yaml"}
_CALL = 300


class Trial:
    """One trial, under a name of its own; ``run`` may be called once."""

    def __init__(self, client: StackClient) -> None:
        self._client, self._began = client, time.monotonic()
        self._model = f"churn-{datetime.now(UTC):%H%M%S}"
        self._rng = random.Random(9)  # noqa: S311  made-up customers  # nosec

    def run(self) -> None:
        """Show every step. Raises CallFailed."""
        self._say(f"The model is called {self._model}; its configuration is examples/churn.yaml.")
        text = (EXAMPLES / "churn.yaml").read_text(encoding="utf-8")
        self._client.call("PUT", f"models/{self._model}", key="operator", data=text.encode(), headers=_YAML)
        self._say("A history comes in: 1,200 predictions of the last 120 days, and who left since (examples/churn.py).")
        self._send_history()
        self._say("The clock ticks, as it does every hour by itself:")
        self._tick()
        version = self._status()["champion"]
        if version is None:
            raise CallFailed(f"no version serves; why: GET /v1/models/{self._model}/decisions")
        self._show_version(version)
        self._say("The customers get older: 600 of them ask, aged 65 to 95 instead of 18 to 80.")
        self._predict(600, (65, 95), {})
        self._tick()
        self._show_page()
        self._say("A feature breaks: `plan` no longer arrives.")
        self._predict(600, (18, 80), {"plan": None})
        self._tick()
        self._show_page()

    def _send_history(self) -> None:
        ended = subprocess.run(  # noqa: S603  the example, by our own interpreter  # nosec
            [sys.executable, EXAMPLES / "churn.py"],
            env={**local_variables(self._client.stack), "MODEL": self._model},
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise CallFailed(f"examples/churn.py failed: {ended.stderr.strip().rpartition(chr(10))[2]}")

    def _predict(self, count: int, ages: tuple[int, int], broken: dict[str, Any]) -> dict[str, Any]:
        """Ask for predictions of made-up customers; return the last."""
        plans = ("basic", "plus", "pro")
        features = [{"plan": self._rng.choice(plans), "age": self._rng.randint(*ages)} | broken for _ in range(count)]
        answer: dict[str, Any] = {}
        for start in range(0, count, _CALL):
            body = {"instances": [{"features": one} for one in features[start : start + _CALL]]}
            answer = self._client.call("POST", f"models/{self._model}/predict", key="app", json=body)
        last: dict[str, Any] = answer["predictions"][-1]
        return last

    def _show_version(self, version: str) -> None:
        found = self._client.call("GET", f"models/{self._model}/versions/{version}", key="operator")
        auc, rows = found["metrics"]["roc_auc"], found["lineage"]["rows"]["holdout"]
        self._say(f"{version} serves: ROC AUC {auc:.3f} on {rows} rows it has not seen.")
        self._say(f"  its card: {found['card_url']}")
        young, old = (self._predict(1, (age, age), {"plan": "basic"})["score"] for age in (25, 75))
        self._say(f"  it answers: who is 25 leaves with a probability of {young:.2f}, who is 75 with {old:.2f}.")

    def _show_page(self) -> None:
        check = self._status()["checks"]["drift"]
        features = check["summary"].get("features", {}).values()
        found = [one["sentence"] for one in features if one["verdict"] == "drift"]
        self._say(f"  what drifts: {', '.join(found) or 'nothing'}; the page: {check['page_url']}")

    def _status(self) -> dict[str, Any]:
        found: dict[str, Any] = self._client.call("GET", f"models/{self._model}", key="operator")
        return found

    def _tick(self) -> None:
        tick(self._client, self._model, datetime.now(UTC), lambda line: self._say(f"  {line}"))

    def _say(self, line: str) -> None:
        print(f"{time.monotonic() - self._began:4.0f} s  {line}", flush=True)
