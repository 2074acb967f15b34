import re

import pytest

from local.audit import LOCKS, ROOT, finding_of

EVERY_LOCK = sorted(f"requirements/{path.name}" for path in (ROOT / "requirements").iterdir())
HOST = re.compile(r"https?://|^--", re.MULTILINE)
LOADS = re.compile(
    r"\b(import pickle|from pickle|import (?:cPickle|dill|cloudpickle|joblib|marshal|shelve)|joblib\.load|torch\.load|"
    r"read_pickle|yaml\.unsafe_load|allow_pickle=True)"
)
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


def test_package_that_could_not_be_looked_up_is_reported_and_fails_nothing() -> None:
    unknown = {"name": "six", "skip_reason": "not found"}
    known = {"name": "jmespath", "version": "1.0", "vulns": []}
    finding = finding_of("a.lock", {"dependencies": [unknown, known]})
    assert finding.describe() == "a.lock: nothing is known against 1 packages; 1 could not be looked up"
    assert finding.vulnerabilities == ()
