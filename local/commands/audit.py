"""Look the pinned dependencies up among known vulnerabilities; without a network, report that and go on."""

import argparse

from local.audit import audit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments: none."""


def run(_arguments: argparse.Namespace) -> int:
    """Print the finding of each lock; fail if it has a vulnerability."""
    findings = audit()
    for finding in findings:
        print(finding.describe())
    return int(any(finding.vulnerabilities for finding in findings))
