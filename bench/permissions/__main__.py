"""``make permissions``: run the stack's tests, and keep what its functions asked for and were allowed.

What is kept is held against the policies by ``tests/stack/test_least_privilege.py``, one statement taken away at a
time. ``python -m bench.permissions tests/stack/test_x.py`` runs some of the tests, and adds what they show.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.permissions import RECORD_VARIABLE, template_name

KEPT = Path("tests/stack/allowed_requests.jsonl")
JUDGE = Path("tests/stack/test_least_privilege.py")


def main(chosen: list[str]) -> int:
    """Run the tests, write what was seen if they pass, and return their status."""
    with tempfile.NamedTemporaryFile("r", prefix="permissions-", encoding="utf-8") as record:
        # What a test shows may depend on those before it: in one order, a recording shows the same again.
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "2",
            "-p",
            "no:randomly",
            "-p",
            "bench.permissions.plugin",
        ]
        status = subprocess.run(  # noqa: S603  our own interpreter
            [*command, *(chosen or ["tests/stack"]), "--ignore", str(JUDGE)],
            env={**os.environ, RECORD_VARIABLE: record.name, "PYTHONPATH": str(Path.cwd())},
            check=False,
        ).returncode
        seen = [{**note, "role": template_name(note["role"])} for note in map(json.loads, record)]
    if status == 0 and not seen:
        sys.stdout.write("no request was noted: the tests did not run against the embedded AWS that notes them\n")
        return 1
    if status == 0:
        before = [json.loads(line) for line in KEPT.read_text(encoding="utf-8").splitlines()] if chosen else []
        kept = first_of_each_kind([*before, *seen])
        KEPT.write_text("".join(json.dumps(note, sort_keys=True) + "\n" for note in kept), encoding="utf-8")
        sys.stdout.write(f"{len(kept)} kinds of requests written to {KEPT}\n")
    return status


def first_of_each_kind(notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """List the functions' notes, the first of each role, action and matching statements, in an order of their own."""
    found: dict[tuple[str, str, tuple[int, ...]], dict[str, Any]] = {}
    for note in notes:
        if note["role"].endswith("FunctionRole"):
            found.setdefault((note["role"], note["action"], tuple(note["statements"])), note)
    return [found[kind] for kind in sorted(found)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
