"""The README's first model, typed as it is printed, works on a stack that is just up."""

import json
import re
import subprocess
import sys
from pathlib import Path

from local.state import STACK_FILE, Stack

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
# As typed, but an error ends it, and each answer has a line of its own.
STRICT = 'set -e\ncurl() { command curl --silent --show-error --fail "$@"; echo; }\n'


def block(kind: str) -> str:
    _, section = README.read_text(encoding="utf-8").split("## Your first model\n")
    (found, *_) = re.findall(rf"^```{kind}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return str(found)


def test_first_model_of_the_readme_works_as_printed(stack: Stack, tmp_path: Path) -> None:
    stack.save(tmp_path / ".local" / STACK_FILE)
    (tmp_path / "churn.yaml").write_text(block("yaml"), encoding="utf-8")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    command = tmp_path / ".venv/bin/hindsight"
    command.write_text(f'#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m local --state {tmp_path}/.local "$@"\n')
    command.chmod(0o755)

    ended = subprocess.run(
        ["bash", "-c", STRICT + block("sh")], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    configured, logged, captured, explained, status, asked, decided = map(json.loads, ended.stdout.splitlines())
    assert configured["revision"] == 1
    assert (logged, captured) == ({"accepted": ["p-1"], "rejected": []}, {"accepted": ["f-1"], "rejected": []})
    assert explained["prediction"]["prediction_id"] == "p-1"
    assert status["model"] == "churn"
    assert asked["decision_id"] == decided["decisions"][0]["decision_id"]
