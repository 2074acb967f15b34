"""The profiles of an hour, built row by row with a bounded number of rows in memory."""

from typing import Any

from hindsight.profiles.logs.hour import HourProfiles, LogPiece
from hindsight.profiles.logs.log_object import RowProfiler

_MAX_PIECES = 32


class HourBuilder:
    """The profiles of one hour under construction, with the names of the objects their rows are from."""

    def __init__(self, profiler: RowProfiler) -> None:
        self._profiler = profiler
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._pieces: list[LogPiece] = []
        self._profiles = HourProfiles()
        self._merged: dict[int, int] = {}
        self.waiting = 0

    def add(self, name: int, digest: int, version: str, row: dict[str, Any]) -> None:
        """Add a row of an object."""
        self._merged[name] = digest
        self._rows.setdefault(version, []).append(row)
        self.waiting += 1

    def flush(self) -> None:
        """Profile the rows that wait."""
        if self._rows:
            self._pieces.append(LogPiece(0, 0, self._profiler.by_version(self._rows)))
            self._rows, self.waiting = {}, 0
        if len(self._pieces) >= _MAX_PIECES:
            self._merge()

    def done(self) -> HourProfiles:
        """Build the hour's profiles, with the objects merged into them."""
        self.flush()
        self._merge()
        return HourProfiles(self._profiles.by_version, self._merged)

    def _merge(self) -> None:
        self._profiles, self._pieces = self._profiles.add(self._pieces), []
