"""A bus in memory."""

from collections.abc import Sequence

from shared.announcements import Announcement


class InMemoryAnnouncements:
    """Announcements in a list."""

    def __init__(self) -> None:
        self.published: list[Announcement] = []

    def publish(self, announcements: Sequence[Announcement]) -> None:
        self.published += announcements
