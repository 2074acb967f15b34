"""Write a layer's requirements, taken with versions and hashes from the lock of everything."""

import argparse

from local.requirements import path_of, requirements_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--layer", choices=("dependencies", "science", "data"), required=True, help="the layer")
    parser.add_argument("--python", default="3.13", help="the functions' Python (%(default)s)")
    parser.add_argument("--platform", default="aarch64-manylinux_2_28", help="the functions' platform (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Write the file; fail if the lock does not hold what the layer needs."""
    written = requirements_of(arguments.layer, arguments.python, arguments.platform)
    path = path_of(arguments.layer)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(written, encoding="utf-8")
    return 0
