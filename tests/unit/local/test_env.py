"""A stack's variables for a shell."""

import subprocess
from pathlib import Path

import pytest

from local import __main__ as console
from local.state import Stack, StateFolder

KEYS = {"app": "an app's", "reviewer": "r", "operator": "o"}
STACK = Stack(
    "http://127.0.0.1:4700",
    "us-east-1",
    "hindsight",
    "http://127.0.0.1:4700/api/v1/",
    KEYS,
    {"LakeBucket": "lake", "RelabellingStateMachine": "arn:aws:states:us-east-1:0:stateMachine:relabelling"},
)


def test_shell_has_address_keys_and_credentials_after_eval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    StateFolder(tmp_path).remember(STACK, 4700)
    monkeypatch.setattr("local.stack.is_healthy", lambda _url: True)
    assert console.main(["--state", str(tmp_path), "env"]) == 0
    shown = 'eval "$1"; echo "$API $APP_KEY $OPERATOR_KEY $AWS_ENDPOINT_URL $AWS_DEFAULT_REGION ${AWS_PROFILE-none}"'
    ended = subprocess.run(
        ["bash", "-c", shown, "-", capsys.readouterr().out],
        env={"AWS_PROFILE": "a real account's"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "http://127.0.0.1:4700/api/v1 an app's o http://127.0.0.1:4700 us-east-1 none\n"
