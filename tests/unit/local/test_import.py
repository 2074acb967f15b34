import importlib
import json
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import pytest

from local.client import CallFailed
from local.file_import import ImportFile, upload_and_wait

command = importlib.import_module("local.commands.import")


class Stack:
    outputs = {"LakeBucket": "lake"}  # noqa: RUF012


class Client:
    """A stack that imports a file when it is asked for the third time."""

    def __init__(self, earlier: list[dict[str, Any]]) -> None:
        self.stack = Stack()
        self.earlier = earlier
        self.uploaded: list[tuple[str, str, str]] = []
        self.asked = 0

    def aws(self, service: str) -> "Client":
        assert service == "s3"
        return self

    def upload_file(self, path: str, bucket: str, key: str) -> None:
        self.uploaded.append((path, bucket, key))

    def call(self, method: str, path: str, *, key: str) -> Any:
        self.asked += 1
        status = "completed" if self.asked > 2 else "running"
        new = [
            {"job_id": f"new-{key}", "request": {"file": key}, "status": status, "result": {"accepted": 1}}
            for _, _, key in self.uploaded
        ]
        return {"jobs": [*new, *self.earlier]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "2025.jsonl"
    path.write_text("{}\n")
    return path


def parsed(*arguments: str) -> Namespace:
    parser = ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(arguments, Namespace(state=Path("nowhere")))


def test_the_same_file_has_the_same_key_wherever_it_lies(file: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    copy = tmp_path / "copy" / file.name
    copy.write_bytes(file.read_bytes())

    assert ImportFile(file, "feedback").key("m") == ImportFile(copy, "feedback").key("m")
    copy.write_text("[]\n")
    assert ImportFile(file, "feedback").key("m") != ImportFile(copy, "feedback").key("m")


def test_files_are_uploaded_and_waited_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.file_import._PAUSE_SECONDS", 0)
    sent = ImportFile(file, "predictions")
    key = sent.key("m")
    client = Client([{"job_id": "old", "request": {"file": key}, "status": "completed", "result": {"accepted": 7}}])

    (row,) = upload_and_wait(client, "m", [sent], patience=10)  # type: ignore[arg-type]

    assert client.uploaded == [(str(file), "lake", key)]
    assert (row["job_id"], row["result"]["accepted"]) == (f"new-{key}", 1)


def test_import_that_does_not_end_is_reported(file: Path) -> None:
    with pytest.raises(CallFailed, match="not imported yet"):
        upload_and_wait(Client([]), "m", [ImportFile(file, "feedback")], patience=-1)  # type: ignore[arg-type]


def test_for_an_account_the_commands_are_printed(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(parsed("--model", "m", "--predictions", str(file), "--bucket", "the-lake")) == 0

    printed = capsys.readouterr().out
    assert printed.startswith(f"aws s3 cp {file} s3://the-lake/imports/model=m/predictions/")


def test_file_without_json_lines_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text(json.dumps({}))

    assert command.run(parsed("--model", "m")) == 1
    assert command.run(parsed("--model", "m", "--feedback", str(table))) == 1
    assert command.run(parsed("--model", "m", "--feedback", str(tmp_path / "missing.jsonl"))) == 1
