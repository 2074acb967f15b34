"""The name that a misspelt one was probably meant to be."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

MAX_NAME = 64
MAX_KNOWN = 200
_ALIKE = 0.75


def meant(name: str, known: Iterable[str]) -> str:
    """Ask, as the end of a message, for the known name that is spelt most like one that is not known.

    Long names, and known ones after the first two hundred, are not compared: the time for it is the caller's.

    >>> meant("occured_at", ["name", "occurred_at"]), meant("colour", ["name", "occurred_at"])
    ("; is it 'occurred_at'?", '')
    """
    near = get_close_matches(name, list(islice(known, MAX_KNOWN)), 1, _ALIKE) if len(name) <= MAX_NAME else []
    return f"; is it {near[0]!r}?" if near else ""
