"""Files that a relabelling has open, and the chunks of lines in hand."""

import json
from collections.abc import Generator
from dataclasses import dataclass, field

from hindsight.core.errors import Unavailable
from hindsight.entities.feedback import Feedback
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.joining.feedback_files import FEEDBACK_PREFIX, parse_feedback_line
from hindsight.labels.relabelling.store import FilePosition, FileStep
from hindsight.lake.pack import is_mark


class AlreadyPacked(Exception):
    """A file of the log is gone: its rows are in a pack that was written before it went."""


@dataclass(slots=True)
class Chunk:
    """The lines up to ``end``: the predictions whose labels to resolve, with the events that name them.

    ``shared`` are the events by entity or reference, ``keyed`` the predictions with such a key.
    """

    end: int
    is_last: bool = False
    events: dict[PredictionKey, list[Feedback]] = field(default_factory=dict)
    shared: list[Feedback] = field(default_factory=list)
    keyed: list[PredictionKey] = field(default_factory=list)
    rows: int = 0


@dataclass(slots=True)
class OpenFile:
    """A file that is being read, from where it was; ``chunk`` is the one in hand.

    ``expected`` is where the next chunk begins, None where the file has to be reopened. One that is not ``is_listed``
    is a pack, read in place of the listed files that it holds.
    """

    key: str
    position: FilePosition
    chunks: Generator[Chunk, None, None]
    chunk: Chunk
    expected: FilePosition | None = None
    fault: str | None = None
    is_packed: bool = False
    is_listed: bool = True

    @property
    def step(self) -> FileStep:
        """The step to record once the chunk in hand is relabelled."""
        is_last = self.chunk.is_last
        return FileStep(self.key, self.position, FilePosition(self.chunk.end, is_last, is_last and not self.is_listed))

    def close(self) -> None:
        """Close the file; its next chunk is read from a file opened again."""
        self.chunks.close()
        self.expected = None


def read_next(file: OpenFile) -> OpenFile:
    """Read the next chunk of a file; another failure is kept as the file's ``fault``. Raises Unavailable."""
    try:
        file.chunk = next(file.chunks)
        file.expected = file.step.after
    except Unavailable:
        raise
    except AlreadyPacked:
        file.is_packed = True
    except Exception as error:  # noqa: BLE001  a fault of one file must not stop the others
        file.fault = fault_text(file.key, error)
    return file


def take_line(model: str, key: str, line: bytes, chunk: Chunk) -> None:
    """Add a line's prediction or event of a model to a chunk."""
    if key.startswith(FEEDBACK_PREFIX):
        event = parse_feedback_line(line)
        # An unreadable event was quarantined when the file was joined.
        if isinstance(event, Feedback) and event.model == model:
            if event.prediction_id is None:
                chunk.shared.append(event)
            else:
                chunk.events.setdefault(event.key, []).append(event)
        return
    if is_mark(line):
        return
    chunk.rows += 1
    row = json.loads(line)
    prediction = PredictionKey(model, row["prediction_id"])
    chunk.events.setdefault(prediction, [])
    if "entity_id" in row or "reference" in row:
        chunk.keyed.append(prediction)


def fault_text(key: str, error: Exception) -> str:
    """Build the message of a file's failure."""
    return f"{key}: {type(error).__name__}: {error}"
