"""Print the template as JSON, its anchors and short tags resolved, for tools that know neither."""

import argparse
import json
import sys

from local.template import load_template


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments: none."""


def run(_arguments: argparse.Namespace) -> int:
    """Print it."""
    json.dump(load_template(), sys.stdout, indent=1)
    return 0
