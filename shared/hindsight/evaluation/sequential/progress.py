"""How far the watch has come: its newest looks, for operators, and which moves it has told of."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol


class Watched(StrEnum):
    """What is watched: a version tried beside the champion, or a champion on probation."""

    TRIAL = "trial"
    PROBATION = "probation"


class WatchProgress(Protocol):
    """The newest looks at every model's trial and probation, and the moves whose consequences are drawn."""

    def note_look(self, model: str, watched: Watched, look: Mapping[str, Any]) -> None:
        """Keep what the newest look came to, in place of the one before; it has ``at``."""

    def looks(self, model: str) -> dict[str, dict[str, Any]]:
        """Return the newest look at a model's trial and at its probation, by what was watched."""

    def told(self, model: str) -> int:
        """Return the sequence of the last move of the pointer whose consequences are drawn, 0 before the first."""

    def note_told(self, model: str, sequence: int) -> None:
        """Remember that the consequences of all moves up to one are drawn."""
