"""Open the console of a running stack in a browser, and print the keys that it asks for."""

import argparse
import sys
import webbrowser

from local.state import StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--port", type=int, help="of the local stack (the newest that is up)")
    parser.add_argument("--print", action="store_true", help="print the address and open nothing")


def run(arguments: argparse.Namespace) -> int:
    """Print the address and the keys, which never go into the address; open it where there is a browser."""
    from local.stack import NoStack, find_stack

    try:
        stack = find_stack(StateFolder(arguments.state), arguments.port)
    except NoStack as error:
        print(error.message, file=sys.stderr)
        return 1
    print(stack.console_url)
    print(f"operators' key: {stack.keys['operator']}\nreviewers' key: {stack.keys['reviewer']}")
    if not arguments.print and not webbrowser.open(stack.console_url):
        print("no browser was found here: open the address in one", file=sys.stderr)
    return 0
