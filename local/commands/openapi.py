"""Write what is made of the code: the OpenAPI document, and the tables of the reference pages in docs/."""

import argparse

from local.openapi.document import COMMITTED, written
from local.openapi.page import PAGE, with_routes
from local.reference.pages import reference_pages


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments: none."""


def run(_arguments: argparse.Namespace) -> int:
    """Write all of it."""
    made = [(COMMITTED, written()), (PAGE, with_routes(PAGE.read_text(encoding="utf-8"))), *reference_pages()]
    for path, text in made:
        path.write_text(text, encoding="utf-8")
        print(f"written: {path}")
    return 0
