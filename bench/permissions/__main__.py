"""``make permissions``: run the stack's tests, and keep what its functions asked for and were allowed.

What is kept is held against the policies by ``tests/stack/test_least_privilege.py``, one statement taken away at a
time.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from local.server import environment_of, free_port, is_healthy

RECORD = Path("tests/stack/allowed_requests.json")
JUDGE = Path("tests/stack/test_least_privilege.py")
_START_SECONDS = 60.0
# Names that are made up for each stack, and what differs from one run to the next.
_SUFFIX = re.compile(r"-[0-9A-F]{12,}$")


def main() -> int:
    """Record, write the record, and return the status of the tests."""
    with tempfile.TemporaryDirectory(prefix="permissions-") as name:
        folder, port = Path(name), free_port()
        record = folder / "record.jsonl"
        record.touch()
        environment = environment_of(port, folder, folder / "state", persists=False)
        environment |= {"PYTHONPATH": str(Path.cwd()), "PERMISSIONS_RECORD": str(record)}
        server = subprocess.Popen(
            [sys.executable, "-m", "bench.permissions.recorder"], cwd=folder, env=environment, start_new_session=True
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url)
            status = subprocess.run(  # noqa: S603  our own interpreter
                [sys.executable, "-m", "pytest", "-q", "tests/stack", "--ignore", str(JUDGE)],
                env={**os.environ, "AWS_ENDPOINT_URL": url},
                check=False,
            ).returncode
            notes = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
    kept = kept_of(notes)
    RECORD.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(kept)} kinds of requests written to {RECORD}\n")
    return status


def kept_of(notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return notes by the roles' names in the template, the first of each kind, in an order of their own."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for note in notes:
        role = _SUFFIX.sub("", note["role"]).partition("-")[2]
        found.setdefault((role, note["action"], note["resource"]), {**note, "role": role})
    return [found[kind] for kind in sorted(found)]


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_healthy(url):
        if time.monotonic() > deadline:
            raise TimeoutError("the embedded AWS did not start")
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
