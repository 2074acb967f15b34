"""The batches in which a relabelling's files are handed to its workers."""

from math import ceil

# More workers than this would wait for each other: a relabelling's counts lie in sixteen parts of the table.
MAX_WORKERS = 40
# Files differ in size, so that a worker with its own batch would wait for the slowest.
BATCHES_PER_WORKER = 4
MAX_FILES_PER_BATCH = 200
# A batch costs five state transitions and an invocation, files of other days in it or not.
MAX_BATCHES = 1000


def worker_count(consumer_concurrency: int) -> int:
    """Compute how many workers a relabelling has at once: as many as a queue's consumers.

    >>> worker_count(2), worker_count(1000)
    (2, 40)
    """
    return min(consumer_concurrency, MAX_WORKERS)


def files_per_batch(listed: int, covered: int, workers: int) -> int:
    """Compute how many listed files go into a batch, so that every worker has some of the covered ones.

    The files of the days asked for follow each other in the listing: where only these are ``covered``, small batches
    spread them, and ``MAX_BATCHES`` bounds how many batches of other days' files that makes.

    >>> [files_per_batch(files, files, workers=2) for files in (5, 60, 100_000)]
    [1, 8, 200]
    >>> files_per_batch(1_000, 10, workers=2), files_per_batch(50_000, 10, workers=2)
    (2, 50)
    """
    spread = ceil(covered / (workers * BATCHES_PER_WORKER))
    fewest = ceil(listed / MAX_BATCHES)
    return max(1, min(MAX_FILES_PER_BATCH, max(spread, fewest)))
