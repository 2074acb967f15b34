import re
from typing import Any

import pytest

from local import __main__ as console
from local.audit import LOCKS, ROOT, finding_of
from local.commands import audit as audit_command

EVERY_LOCK = sorted(f"requirements/{path.name}" for path in (ROOT / "requirements").iterdir())
HOST = re.compile(r"https?://|^--", re.MULTILINE)
LOADS = re.compile(
    r"\b(import pickle|from pickle|import (?:cPickle|dill|cloudpickle|joblib|marshal|shelve)|joblib\.load|torch\.load|"
    r"read_pickle|yaml\.unsafe_load|allow_pickle=True)"
)
UNKNOWN: dict[str, Any] = {"name": "six", "skip_reason": "not found"}
CLEAN: dict[str, Any] = {"name": "jmespath", "version": "1.0", "vulns": []}
VULNERABLE = CLEAN | {"vulns": [{"id": "PYSEC-1", "fix_versions": []}]}
OURS = sorted(path for name in ("shared", "functions", "pipelines", "local") for path in (ROOT / name).rglob("*.py"))


@pytest.mark.parametrize("lock", EVERY_LOCK)
def test_every_dependency_is_pinned_and_hashed(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    pinned = re.findall(r"^([a-z0-9][\w.-]*(?:\[[\w,-]+\])?)==", text, re.MULTILINE)
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pinned) > 0
    assert all("--hash=sha256:" in block for block in blocks)
    assert not HOST.search(text), "a lock names no registry"
    assert set(LOCKS) <= set(EVERY_LOCK)


def test_own_code_loads_nothing_that_could_run_code() -> None:
    found = {str(path.relative_to(ROOT)) for path in OURS if LOADS.search(path.read_text(encoding="utf-8"))}
    assert found == set()


@pytest.mark.parametrize(
    ("dependencies", "arguments", "status"),
    [
        ([CLEAN], [], 0),
        ([CLEAN, UNKNOWN], [], 3),
        ([CLEAN, UNKNOWN], ["--allow-unchecked"], 0),
        ([VULNERABLE], ["--allow-unchecked"], 1),
        ([VULNERABLE, UNKNOWN], [], 1),
        (None, [], 3),
        (None, ["--allow-unchecked"], 0),
    ],
)
def test_audit_that_could_not_check_everything_says_so_and_ends_with_its_own_status(
    dependencies: list[dict[str, Any]] | None,
    arguments: list[str],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = None if dependencies is None else {"dependencies": dependencies}
    monkeypatch.setattr(audit_command, "audit", lambda: [finding_of("a.lock", report)])
    assert console.main(["audit", *arguments]) == status
    printed = capsys.readouterr()
    is_whole = dependencies is not None and UNKNOWN not in dependencies
    assert ("NOT CHECKED a.lock: " in printed.err) != is_whole
    assert (printed.out == "") != is_whole


def test_package_that_could_not_be_looked_up_is_counted() -> None:
    finding = finding_of("a.lock", {"dependencies": [UNKNOWN, CLEAN]})
    assert (finding.asked, finding.unknown, finding.vulnerabilities) == (1, 1, ())
    assert finding.describe() == (
        "NOT CHECKED a.lock: 1 packages could not be looked up; nothing is known against 1 packages"
    )
