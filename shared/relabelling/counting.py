"""The count of a relabelling's files, by listings that may take more than one call."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from shared.labels.feedback_files import file_day
from shared.lake import Lake
from shared.relabelling.job import prefixes
from shared.relabelling.store import RelabelStore

KEYS_A_LOOK = 1000


@dataclass(frozen=True, slots=True)
class Counting:
    """The progress of counting a relabelling's files.

    ``files`` are those to read; ``feedback`` and ``predictions`` those listed in each folder, other days included;
    ``after`` is the last one counted.
    """

    files: int = 0
    feedback: int = 0
    predictions: int = 0
    after: str = ""
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class FileCount:
    """The counter of a deployment's relabelling files."""

    lake: Lake
    store: RelabelStore

    def count(self, model: str, relabel_id: str, so_far: Counting, has_time: Callable[[], bool]) -> Counting:
        """Count the files a relabelling is to read while there is time, and record it at the end. Raises NotFound."""
        job = self.store.state(model, relabel_id)
        counts = Counter(files=so_far.files, feedback=so_far.feedback, predictions=so_far.predictions)
        for folder, prefix in zip(("feedback", "predictions"), prefixes(job), strict=True):
            for number, key in enumerate(self.lake.keys(prefix, after=so_far.after), start=1):
                counts[folder] += 1
                counts["files"] += job.covers(file_day(key))
                if number % KEYS_A_LOOK == 0 and not has_time():
                    return Counting(counts["files"], counts["feedback"], counts["predictions"], after=key)
        self.store.note_files(job, counts["files"])
        return Counting(counts["files"], counts["feedback"], counts["predictions"], is_done=True)
