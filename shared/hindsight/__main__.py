"""Start a command of the checkout: ``hindsight <command>``.

The commands work on a checkout: its template, functions and demo. So the installed package brings this launcher alone,
and what it starts is the checkout's own ``local``, never a copy that may be older.
"""

import importlib
import os
import sys
from pathlib import Path
from typing import NoReturn

MARKS = ("local/__main__.py", "shared/hindsight/__main__.py", "template.yaml")


def find_checkout(*starts: Path) -> Path | None:
    """Find the first checkout that holds one of some folders, the innermost one first."""
    folders = (folder for start in starts for folder in (start, *start.parents))
    return next((folder for folder in folders if all((folder / mark).is_file() for mark in MARKS)), None)


def main() -> int:
    """Run a command of the checkout around the working directory, or of the one that this file lies in."""
    here = Path(__file__).resolve()
    checkout = find_checkout(Path.cwd(), here.parent)
    if checkout is None:
        print("hindsight: run inside a checkout of Hindsight", file=sys.stderr)
        return 2
    paths = [str(checkout), str(checkout / "shared")]
    if not here.is_relative_to(checkout / "shared"):
        restart(paths)
    sys.path[:0] = paths
    status: int = importlib.import_module("local.__main__").main()
    return status


def restart(paths: list[str]) -> NoReturn:
    """Start again with a checkout's own library: another copy of it is loaded already."""
    search = os.pathsep.join(filter(None, [*paths, os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "local", *sys.argv[1:]]
    os.execve(sys.executable, command, os.environ | {"PYTHONPATH": search})  # noqa: S606 # nosec B606


if __name__ == "__main__":
    sys.exit(main())
