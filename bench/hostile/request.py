"""A hostile request, what it is about, and what it may be answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field

INVALID = frozenset({400})
TOO_LARGE = frozenset({413})
REFUSED = frozenset({400, 403, 404})
FORBIDDEN = frozenset({403})
NOT_ALLOWED = frozenset({401, 403})
NOWHERE = frozenset({403, 404, 405})


@dataclass(frozen=True, slots=True)
class Hostile:
    """A request that no well-meaning client makes, and what it may be answered."""

    kind: str
    what: str
    method: str
    path: str
    allowed: frozenset[int]
    audience: str | None = "app"
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Targets:
    """The targets of hostile requests: a model, and data of another one.

    ``tokens`` are those of predictions of the ``guarded`` model, which takes no feedback without.
    """

    model: str
    other: str
    guarded: str
    tokens: Mapping[str, str]
