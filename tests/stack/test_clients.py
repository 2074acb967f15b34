"""The JavaScript client to copy, against the stack; the README's first model is sent by the Python one."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local.client import StackClient
from local.commands.env import local_variables

CLIENT = Path(__file__).parents[2] / "examples/hindsight-client.mjs"
CALLS = """
const { Hindsight } = await import(process.argv[1]);
const churn = new Hindsight("churn-js");
const logged = { prediction_id: "js-1", features: { plan: "pro" }, score: 0.1, model_version: "mine-3" };
const left = { feedback_id: "js-f", prediction_id: "js-1", name: "churn", value: 1 };
console.log(JSON.stringify([
  await churn.log([logged, { ...logged, prediction_id: "js-2", score: "high" }]),
  await churn.feedback([{ ...left, name: "unheard-of" }]),
  await churn.feedback([left]),
  await churn.predict([{ features: {} }]).catch((refused) => [refused.status, refused.code]),
]));
"""


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_javascript_client_logs_and_sends_feedback(client: StackClient) -> None:
    document = {
        "task": "binary",
        "features": {"plan": {"type": "categorical"}},
        "labels": {"rules": [{"event": "churn", "kind": "outcome", "window": "P30D"}]},
    }
    client.call("PUT", "models/churn-js", key="operator", json=document)

    ended = subprocess.run(
        ["node", "--input-type=module", "--eval", CALLS, str(CLIENT)],
        env={"PATH": os.environ["PATH"], **local_variables(client.stack)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    logged, unheard, captured, refused = json.loads(ended.stdout)
    assert logged["accepted"] == ["js-1"]
    assert [(one["index"], one["code"], one["path"]) for one in logged["rejected"]] == [
        (1, "invalid", "predictions[1].score")
    ]
    assert [(one["index"], one["path"]) for one in unheard["rejected"]] == [(0, "events[0].name")]
    assert captured == {"accepted": ["js-f"], "rejected": []}
    assert refused == [409, "no_model"]
