"""A bus in memory."""

from collections.abc import Sequence

from hindsight.core.announcements import Announcement
from hindsight.core.errors import Unavailable


class InMemoryAnnouncements:
    """Announcements in a list; as many calls as ``refusals`` says are refused first."""

    def __init__(self) -> None:
        self.published: list[Announcement] = []
        self.refusals = 0

    def publish(self, announcements: Sequence[Announcement]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise Unavailable("the bus did not take the announcements")
        self.published += announcements
