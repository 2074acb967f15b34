"""A version whose predictions are monitored."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoredVersion:
    """A version: since when it answers, its metric's expected value, and the ``champion`` if it is logged beside one.

    The expected value is what it proved at the gate, or what was registered.
    """

    version: str
    since: datetime
    gate_value: float | None
    champion: str | None = None
