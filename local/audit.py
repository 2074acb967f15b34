"""Vulnerabilities that are known of the pinned dependencies."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
# What this checkout runs with and, as a part of it, what is deployed.
LOCKS = ("requirements/hindsight.txt",)
_PATIENCE_SECONDS = 120
NOT_CHECKED = 3
"""The exit status of an audit that could not look everything up."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The vulnerabilities of one lock, and how many of its packages could be asked about."""

    lock: str
    asked: int
    unknown: int
    vulnerabilities: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """True if every package of the lock could be looked up."""
        return self.asked > 0 and not self.unknown

    def describe(self) -> str:
        """Describe the finding; it begins with NOT CHECKED where packages could not be looked up."""
        if not self.asked:
            return f"NOT CHECKED {self.lock}: no package could be looked up, as without a network"
        found = "; ".join(self.vulnerabilities) or f"nothing is known against {self.asked} packages"
        if self.unknown:
            return f"NOT CHECKED {self.lock}: {self.unknown} packages could not be looked up; {found}"
        return f"{self.lock}: {found}"


def audit(locks: Iterable[str] = LOCKS) -> list[Finding]:
    """Audit some locks."""
    return [finding_of(lock, _asked(ROOT / lock)) for lock in locks]


def status_of(findings: Iterable[Finding], *, allow_unchecked: bool) -> int:
    """Compute the exit status: 1 with a vulnerability, ``NOT_CHECKED`` where not all was looked up, else 0.

    >>> status_of([Finding("a.lock", asked=0, unknown=0)], allow_unchecked=False)
    3
    """
    found = list(findings)
    if any(finding.vulnerabilities for finding in found):
        return 1
    return 0 if allow_unchecked or all(finding.is_complete for finding in found) else NOT_CHECKED


def finding_of(lock: str, report: Mapping[str, Any] | None) -> Finding:
    """Read a report of pip-audit, None being no report at all.

    >>> dependency = {"name": "six", "version": "1.17.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.18.0"]}]}
    >>> finding_of("a.lock", {"dependencies": [dependency]}).describe()
    'a.lock: six 1.17.0 has PYSEC-1, fixed in 1.18.0'
    >>> finding_of("a.lock", None).describe()
    'NOT CHECKED a.lock: no package could be looked up, as without a network'
    """
    dependencies = report["dependencies"] if report is not None else []
    known = [dependency for dependency in dependencies if "skip_reason" not in dependency]
    found = tuple(
        f"{dependency['name']} {dependency['version']} has {vulnerability['id']}, "
        f"fixed in {', '.join(vulnerability['fix_versions']) or 'no version'}"
        for dependency in known
        for vulnerability in dependency["vulns"]
    )
    return Finding(lock, len(known), len(dependencies) - len(known), found)


def _asked(lock: Path) -> dict[str, Any] | None:
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--disable-pip", "--no-deps"]
    options = ["--format", "json", "--progress-spinner", "off", "--timeout", "5"]
    try:
        answered = subprocess.run(  # noqa: S603  our own interpreter and module
            [*command, *options], capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False
        )
        report: dict[str, Any] = json.loads(answered.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return report
