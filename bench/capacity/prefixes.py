"""The prefixes of the lake, and how many objects a day each can get: computed from the template's defaults."""

from collections.abc import Mapping
from dataclasses import dataclass

from hindsight.labels.joining.feedback_files import CHUNK_LINES
from hindsight.lake.packer import MAX_OPEN, MAX_SETTLED
from hindsight.monitoring.results.check import CheckKind
from hindsight.quarantine.rejects import RejectCode

SECONDS_A_DAY = 86_400
# A new on-demand table has four shards; more come with traffic that fills objects anyway.
SHARDS = 4
SWEEPS_A_DAY = SECONDS_A_DAY // 300
# Codes of a configured model's items that a join finds; feedback that waits in vain is found by sweeps.
JOINED = (RejectCode.INVALID, RejectCode.CONFLICT, RejectCode.RATE_LIMITED)
# The join of a file writes the conflicts of its feedback apart from those of predictions, which calls found.
OBJECTS_A_FILE = len(JOINED) + 1


@dataclass(frozen=True, slots=True)
class Prefix:
    """One prefix: the most objects that a day of many small writes brings, and what else decides on their number."""

    name: str
    of: str
    most: str
    because: str


def prefixes_of(parameters: Mapping[str, float]) -> list[Prefix]:
    """Compute the prefixes' objects from the defaults of the template's parameters."""
    files = int(SECONDS_A_DAY / parameters["FeedbackBufferSeconds"])
    batches = int(SHARDS * SECONDS_A_DAY / parameters["ArchiveWindowSeconds"])
    quarantined = files * OBJECTS_A_FILE + SWEEPS_A_DAY
    small = f"{batches:,} written, {MAX_OPEN + 1} kept"
    return [
        Prefix("feedback", "all models", f"{files:,}", "one every `FeedbackBufferSeconds`; more only as they are full"),
        Prefix(
            "predictions",
            "a model",
            small,
            f"packed every hour, into {MAX_SETTLED} after two days; beside them full packs",
        ),
        Prefix("labels", "a model", small, "packed every hour, compacted after two days"),
        Prefix("compacted", "a model", "few", "one for 100,000 label records or 64 MB"),
        Prefix(
            "quarantine",
            "a model",
            f"{quarantined:,}",
            f"not packed: one a feedback file (each {CHUNK_LINES:,} lines of it) and code, of {len(JOINED)} codes, "
            f"conflicts of predictions apart, and one a sweep of feedback whose match timed out",
        ),
        Prefix("replayed", "a model", f"{quarantined:,}", "not packed: one for each of `quarantine/` that is replayed"),
        Prefix("imports", "a model", "the operators'", "the files that are put there"),
        Prefix("uploads", "a model", "the operators'", "scores of holdouts and rows of baselines, gone after 30 days"),
        Prefix("datasets", "a model", "6 a run", "a manifest, two parts, and their copies as Parquet"),
        Prefix("exports", "a model", "one an export", "gone after a day"),
        Prefix("models", "a model", "10 a version", "an artefact and what goes with it, until the version expires"),
        Prefix("profiles", "a model", "24", "one an hour, replaced as its predictions come"),
        Prefix(
            "checks",
            "a model",
            f"{24 * (len(CheckKind) + 1)}",
            f"{len(CheckKind)} checks an hour, and the page of one; checks that an alarm asks for come on top",
        ),
        Prefix("queries", "a model", "3 a run", "with `SnapshotEngine=athena`"),
        Prefix("training-jobs", "a model", "one a candidate", "with `TrainingEngine=sagemaker`"),
        Prefix("erasures", "a model", "one a source of data sets", "while an erasure is under way"),
        Prefix("relabels", "all models", "some a relabelling", "what Step Functions notes of 1,000 batches at most"),
    ]
