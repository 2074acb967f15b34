"""Hindsight on this machine, in an account and in this checkout; each command has its own ``--help``."""

import argparse
import ast
import importlib
import os
import signal
import sys
from pathlib import Path

from hindsight.core.errors import HindsightError
from local import commands
from local.state import DEFAULT_STATE

# Packages whose absence is a fault of ours, not of how the package was installed.
OURS = ("hindsight", "local", "functions", "pipelines")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="hindsight",
        description=__doc__,
        epilog=list_commands(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, help="where stacks are remembered (%(default)s)")
    names = [name for group in commands.GROUPS.values() for name in group]
    parser.add_argument("command", choices=names, metavar="command", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    try:
        status = run_command(chosen.command, chosen.arguments, chosen.state)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader has seen enough, as `head` has; what is left must not be flushed to it at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in OURS:
            raise
        advice = "pip install '.[local]' in the checkout, or `make setup` and .venv/bin/hindsight"
        print(f"hindsight {chosen.command} needs the package {package}: {advice}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except Exception as error:
        if not is_expected(error):
            raise
        print("\n".join(lines_of(error)), file=sys.stderr)
        return 1


def is_expected(error: Exception) -> bool:
    """Check for an error whose message is all that the user needs: ours, the system's, or an answer of AWS."""
    return isinstance(error, HindsightError | OSError) or type(error).__module__.startswith("botocore.")


def lines_of(error: Exception) -> list[str]:
    """List the message of an error, and where several things are wrong each of them.

    >>> from hindsight.core.errors import Fault
    >>> lines_of(HindsightError("two faults", (Fault("a", "is required"), Fault("b", "is no number"))))
    ['two faults', '  a: is required', '  b: is no number']
    >>> lines_of(FileNotFoundError(2, "No such file or directory", "rows.csv"))
    ['rows.csv: no such file or directory']
    """
    if isinstance(error, OSError) and error.filename is not None and error.strerror is not None:
        return [f"{error.filename}: {error.strerror[:1].lower()}{error.strerror[1:]}"]
    faults = error.faults if isinstance(error, HindsightError) else ()
    shown = [f"  {fault.path}: {fault.message}" for fault in faults]
    return [str(error), *(shown if len(shown) > 1 else [])]


def run_command(name: str, arguments: list[str], state: Path) -> int:
    """Run a command; only the chosen one is imported: the replay's numerics take longer to load than a stop to run."""
    command = importlib.import_module(f"{commands.__name__}.{name}")
    parser = argparse.ArgumentParser(prog=f"hindsight {name}", description=command.__doc__)
    command.add_arguments(parser)
    status: int = command.run(parser.parse_args(arguments, argparse.Namespace(state=state)))
    return status


def list_commands() -> str:
    """List the commands by group, each with the first line of its module's docstring, which is read, not imported."""
    lines = []
    for title, names in commands.GROUPS.items():
        lines += ["", f"{title}:", *(f"  {name:<12} {summary(name)}" for name in names)]
    return "\n".join(lines).strip()


def summary(name: str) -> str:
    """Read the first line of a command's docstring."""
    path = Path(commands.__path__[0]) / f"{name}.py"
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
