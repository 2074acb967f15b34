"""The retraining run of a step of the state machine, and the names that follow from it."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

from hindsight.core.codec import Record
from hindsight.core.errors import InvalidInput, UnreadableRecord
from hindsight.core.times import moment_name, parse_time
from hindsight.validation.timestamps import ClientTimestamps


class RetrainingRun(Record, frozen=True, kw_only=True, omit_defaults=False):
    """One execution of the state machine; ``as_of`` is the moment it pretends to be at."""

    model: str
    decision_id: str
    fencing_token: int
    as_of: Annotated[datetime, msgspec.Meta(tz=True)]
    reason: str = ""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> "RetrainingRun":
        """Read the run that a step's input names, as ``to_plain`` converts it. Raises InvalidInput."""
        try:
            return cls.from_plain(event)
        except UnreadableRecord as error:
            raise InvalidInput(f"the step's input does not name its run: {error.message}") from error

    def moment(self, entered_at: str | None, trust: ClientTimestamps) -> datetime:
        """Find the moment of a step of the run: when it was entered, if that is given (RFC 3339).

        In simulated time, and for a step that is invoked by hand, it is the run's own moment. Raises InvalidInput.
        """
        if entered_at is None or trust is not ClientTimestamps.BOUNDED:
            return self.as_of
        return max(self.as_of, parse_time(entered_at))

    def version_of(self, candidate: str) -> str:
        """Name the version that a candidate of this run becomes: always the same, sorted by time.

        >>> from datetime import UTC
        >>> at = datetime(2026, 3, 1, 12, tzinfo=UTC)
        >>> RetrainingRun(model="m", decision_id="d", fencing_token=1, as_of=at, reason="").version_of("ridge")
        'v20260301T120000Z-18ac3e73-ridge'
        """
        return f"v{moment_name(self.as_of)}-{hashlib.sha256(self.decision_id.encode()).hexdigest()[:8]}-{candidate}"
