"""The README's first model, typed as it is printed, serves on a stack that is just up."""

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


def test_configuration_of_the_readme_is_that_of_the_examples() -> None:
    assert block("yaml") == (ROOT / "examples/churn.yaml").read_text(encoding="utf-8")


def test_first_model_of_the_readme_serves_as_printed(stack: Stack, tmp_path: Path) -> None:
    stack.save(tmp_path / ".local" / STACK_FILE)
    (tmp_path / "churn.yaml").write_text(block("yaml"), encoding="utf-8")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    command = tmp_path / ".venv/bin/hindsight"
    command.write_text(f'#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m local --state {tmp_path}/.local "$@"\n')
    command.chmod(0o755)

    ended = subprocess.run(
        ["bash", "-c", STRICT + block("sh")], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr + ended.stdout
    answers = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    configured, before, predicted, captured, explained, decided = answers
    assert configured["revision"] == 1
    assert (before["champion"], before["first_version"]["labels_needed"]) == (None, 200)
    assert "because there are enough labels for a first version" in ended.stdout
    (answer,) = predicted["predictions"]
    assert 0.5 < answer["score"] < 1
    assert captured == {"accepted": ["f-1"], "rejected": []}
    assert explained["prediction"]["model_version"] == answer["model_version"]
    assert decided["decisions"][0]["outcome_version"] == answer["model_version"]
    assert "rows left out: not due before the holdout began" in decided["decisions"][0]["outcome_reason"]
