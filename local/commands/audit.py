"""Look the pinned dependencies up among known vulnerabilities.

The exit status is 0 if nothing is known against any of them, 1 if something is, and 3 if some could not be looked up,
as without a network.
"""

import argparse
import sys

from local.audit import audit, status_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--allow-unchecked", action="store_true", help="exit with 0, not 3, where packages could not be looked up"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the finding of each lock; what was not checked goes to standard error."""
    findings = audit()
    for finding in findings:
        print(finding.describe(), file=sys.stdout if finding.is_complete else sys.stderr)
    return status_of(findings, allow_unchecked=arguments.allow_unchecked)
