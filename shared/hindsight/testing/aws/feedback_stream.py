"""A feedback stream in memory."""

from collections.abc import Sequence

from hindsight.core.errors import Unavailable
from hindsight.entities.feedback import Feedback
from hindsight.labels.joining.feedback_files import parse_feedback_line


class InMemoryStream:
    """Lines in a list; while ``is_down`` it takes none."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.is_down = False

    def append(self, lines: Sequence[bytes]) -> None:
        if self.is_down:
            raise Unavailable("the stream is down")
        self.lines.extend(lines)

    @property
    def events(self) -> list[Feedback]:
        """The events of the lines, as the join reads them."""
        parsed = [parse_feedback_line(line) for line in self.lines]
        assert all(isinstance(event, Feedback) for event in parsed), parsed
        return [event for event in parsed if isinstance(event, Feedback)]
