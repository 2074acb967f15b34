"""Ask whether anything is known against the pinned dependencies; where nobody can be asked, say so and go on."""

import argparse

from local.audit import audit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments: none."""


def run(_arguments: argparse.Namespace) -> int:
    """Print what is known of each lock; fail if it is a vulnerability."""
    findings = audit()
    for finding in findings:
        print(finding.told())
    return int(any(finding.vulnerabilities for finding in findings))
