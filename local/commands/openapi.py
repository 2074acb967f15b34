"""Write the OpenAPI document of the HTTP API to where it is served from."""

import argparse

from local.openapi.document import COMMITTED, written


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments: none."""


def run(_arguments: argparse.Namespace) -> int:
    """Write it."""
    COMMITTED.write_text(written(), encoding="utf-8")
    print(f"written to {COMMITTED}")
    return 0
