"""The count of a relabelling's files, by listings that may take more than one call."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from hindsight.labels.joining.feedback_files import file_day
from hindsight.labels.relabelling.batches import files_per_batch
from hindsight.labels.relabelling.job import prefixes
from hindsight.labels.relabelling.store import RelabelStore
from hindsight.lake.object_store import Lake

KEYS_A_LOOK = 1000


@dataclass(frozen=True, slots=True)
class CountingProgress:
    """The progress of counting a relabelling's files.

    ``files`` are those to read, ``feedback_files`` of them in the folder of feedback; ``feedback`` and ``predictions``
    those listed in each folder, other days included; ``after`` is the last one counted. Once all are counted,
    ``workers`` work them off, in batches of ``feedback_batch`` and ``predictions_batch`` files.
    """

    files: int = 0
    feedback_files: int = 0
    feedback: int = 0
    predictions: int = 0
    after: str = ""
    is_done: bool = False
    workers: int = 0
    feedback_batch: int = 0
    predictions_batch: int = 0

    def divided(self, workers: int) -> "CountingProgress":
        """Divide the files, all of which are counted, among workers.

        >>> done = CountingProgress(files=65, feedback_files=5, feedback=5, predictions=60).divided(workers=2)
        >>> done.feedback_batch, done.predictions_batch, done.is_done
        (1, 8, True)
        """
        return replace(
            self,
            is_done=True,
            workers=workers,
            feedback_batch=files_per_batch(self.feedback, self.feedback_files, workers),
            predictions_batch=files_per_batch(self.predictions, self.files - self.feedback_files, workers),
        )


@dataclass(frozen=True, slots=True)
class FileCount:
    """The counter of a deployment's relabelling files, for so many workers."""

    lake: Lake
    store: RelabelStore
    workers: int

    def count(
        self, model: str, job_id: str, so_far: CountingProgress, has_time: Callable[[], bool]
    ) -> CountingProgress:
        """Count the files a relabelling is to read while there is time, and record it at the end. Raises NotFound."""
        job = self.store.state(model, job_id)
        counts = Counter(
            files=so_far.files,
            feedback_files=so_far.feedback_files,
            feedback=so_far.feedback,
            predictions=so_far.predictions,
        )
        for folder, prefix in zip(("feedback", "predictions"), prefixes(job), strict=True):
            for number, key in enumerate(self.lake.keys(prefix, after=so_far.after), start=1):
                is_covered = job.covers(file_day(key))
                counts[folder] += 1
                counts["files"] += is_covered
                counts["feedback_files"] += is_covered and folder == "feedback"
                if number % KEYS_A_LOOK == 0 and not has_time():
                    return replace(_progress(counts), after=key)
        self.store.note_files(job, counts["files"])
        return _progress(counts).divided(self.workers)


def _progress(counts: Counter[str]) -> CountingProgress:
    return CountingProgress(counts["files"], counts["feedback_files"], counts["feedback"], counts["predictions"])
