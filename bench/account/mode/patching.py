"""Replacement of a function of the emulator, if it still is the one that the replacement was written for."""

import inspect
from collections.abc import Callable
from typing import Any


class EmulatorChanged(Exception):
    """A function of the emulator is not there, or takes other parameters than the replacement knows."""


def replace(owner: Any, name: str, parameters: str, make: Callable[[Any], Any]) -> None:
    """Put ``make(original)`` in the place of a function with these ``parameters``. Raises EmulatorChanged.

    ``owner`` is a module, a class, or the dictionary that a module finds its functions in.

    >>> import types
    >>> module = types.SimpleNamespace(double=lambda number: 2 * number)
    >>> replace(module, "double", "number", lambda original: lambda number: original(number) + 1)
    >>> module.double(3)
    7
    """
    where = f"{getattr(owner, '__name__', 'handlers')}.{name}"
    original = owner.get(name) if isinstance(owner, dict) else getattr(owner, name, None)
    if not callable(original):
        raise EmulatorChanged(f"{where} is not in this version of the embedded AWS")
    found = list(inspect.signature(original).parameters)
    if found != parameters.split():
        raise EmulatorChanged(f"{where} takes {' '.join(found)}, not {parameters}")
    if isinstance(owner, dict):
        owner[name] = make(original)
    else:
        setattr(owner, name, make(original))


def require(owner: Any, *names: str) -> None:
    """Check that a module has what a replacement uses of it. Raises EmulatorChanged."""
    missing = [name for name in names if not hasattr(owner, name)]
    if missing:
        raise EmulatorChanged(f"{getattr(owner, '__name__', owner)} has no {', '.join(missing)} in this version")
