"""Write the OpenAPI document of the HTTP API to where it is served from, and the table of docs/http.md."""

import argparse

from local.openapi.document import COMMITTED, written
from local.openapi.page import PAGE, with_routes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments: none."""


def run(_arguments: argparse.Namespace) -> int:
    """Write both."""
    COMMITTED.write_text(written(), encoding="utf-8")
    PAGE.write_text(with_routes(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"written to {COMMITTED} and {PAGE}")
    return 0
