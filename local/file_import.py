"""Uploads files of past predictions and feedback to a stack, and waits until they are imported."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hindsight.validation.line_items import IMPORTS
from local.client import CallFailed, StackClient

SUFFIXES = (".jsonl", ".jsonl.gz")
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A file on disk, and what it holds: ``predictions`` or ``feedback``."""

    path: Path
    kind: str

    def key(self, model: str) -> str:
        """Name the key that the file is uploaded to.

        The same file has the same key, and so the predictions in it that have no id get the same ones again.
        """
        with self.path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        return f"{IMPORTS}model={model}/{self.kind}/{digest[:12]}-{self.path.name}"


def upload_and_wait(client: StackClient, model: str, files: list[ImportFile], patience: float) -> list[dict[str, Any]]:
    """Upload files and wait for their results. Raises CallFailed for an unknown model or after ``patience``."""
    before = {row["import_id"] for row in _imports(client, model)}
    keys = [file.key(model) for file in files]
    for file, key in zip(files, keys, strict=True):
        client.aws("s3").upload_file(str(file.path), client.stack.outputs["LakeBucket"], key)
    deadline = time.monotonic() + patience
    while True:
        new = [row for row in _imports(client, model) if row["import_id"] not in before]
        done = {row["file"]: row for row in new if row["status"] == "done"}
        if all(key in done for key in keys):
            return [done[key] for key in keys]
        if time.monotonic() > deadline:
            raise CallFailed(f"not imported yet: {', '.join(sorted(set(keys) - done.keys()))}")
        time.sleep(_PAUSE_SECONDS)


def _imports(client: StackClient, model: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.call("GET", f"models/{model}/imports?limit=300", key="operator")["imports"]
    return found
