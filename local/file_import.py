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
    """Upload files and wait until their jobs are over. Raises CallFailed for an unknown model or after ``patience``."""
    before = {job["job_id"] for job in _imports(client, model)}
    keys = [file.key(model) for file in files]
    for file, key in zip(files, keys, strict=True):
        client.aws("s3").upload_file(str(file.path), client.stack.outputs["LakeBucket"], key)
    deadline = time.monotonic() + patience
    while True:
        new = [job for job in _imports(client, model) if job["job_id"] not in before]
        over = {job["request"]["file"]: job for job in new if job["status"] != "running"}
        if all(key in over for key in keys):
            return [over[key] for key in keys]
        if time.monotonic() > deadline:
            raise CallFailed(f"not imported yet: {', '.join(sorted(set(keys) - over.keys()))}")
        time.sleep(_PAUSE_SECONDS)


def _imports(client: StackClient, model: str) -> list[dict[str, Any]]:
    path = f"models/{model}/jobs?kind=import&limit=200"
    found: list[dict[str, Any]] = client.call("GET", path, key="operator")["jobs"]
    return found
