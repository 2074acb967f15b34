"""Arguments that several commands take."""

import argparse

from local.template import load_template

DEFAULT_PORT = 4566
_PORTS = range(1, 1 << 16)


def add_port(
    parser: argparse.ArgumentParser, about: str = "of the stack (the newest that is up)", default: int | None = None
) -> None:
    """Declare ``--port``."""
    parser.add_argument("--port", type=port_number, default=default, help=about)


def port_number(text: str) -> int:
    """Read a port. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) not in _PORTS:
        raise argparse.ArgumentTypeError(f"{text!r} is no port between {_PORTS[0]} and {_PORTS[-1]}")
    return int(text)


def add_parameters(parser: argparse.ArgumentParser, about: str = "parameter of the template; repeatable") -> None:
    """Declare ``--parameter Name=value``, which is given once for each parameter of the template."""
    parser.add_argument(
        "--parameter", action="append", default=[], type=name_and_value, metavar="Name=value", help=about
    )


def name_and_value(text: str) -> tuple[str, str]:
    """Read a template parameter given as ``Name=value``. Raises ArgumentTypeError."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form Name=value")
    parameters = load_template()["Parameters"]
    if name not in parameters:
        raise argparse.ArgumentTypeError(f"the template has no parameter {name}: see docs/parameters.md")
    allowed = parameters[name].get("AllowedValues")
    if allowed is not None and value not in map(str, allowed):
        raise argparse.ArgumentTypeError(f"{name} takes {' or '.join(map(str, allowed))}, not {value!r}")
    return name, value
