"""Open the console of a running stack in a browser, and print the keys that it asks for."""

import argparse
import sys
import webbrowser

from local.arguments import add_port
from local.state import StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_port(parser, "of the local stack (the newest that is up)")
    parser.add_argument("--print", action="store_true", help="print the address and open nothing")


def run(arguments: argparse.Namespace) -> int:
    """Print the address and the keys, which never go into the address; open it where there is a browser."""
    from local.stack import find_stack

    stack = find_stack(StateFolder(arguments.state), arguments.port)
    print(stack.console_url)
    print(f"operators' key: {stack.keys['operator']}\nreviewers' key: {stack.keys['reviewer']}")
    if not arguments.print and not webbrowser.open(stack.console_url):
        print("no browser was found here: open the address in one", file=sys.stderr)
    return 0
