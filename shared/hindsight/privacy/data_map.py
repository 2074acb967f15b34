"""The data map: where in the lake data of a subject may lie, in which form, and where none does."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from hindsight.lake.object_store import (
    CHECKS,
    COMPACTED,
    EXPORTS,
    LABELS,
    PREDICTIONS,
    PROFILES,
    QUARANTINE,
    REPLAYED,
    REWRITTEN,
    model_prefix,
)
from hindsight.lake.uploads import UPLOADS
from hindsight.privacy.redaction import RedactionResult, Redactor, drop_if_mentioned, redact_golden, redact_lines
from hindsight.privacy.subject import Subject
from hindsight.profiles.logs.stored_sample import hour_without_rows, without_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLocation:
    """Objects of one form.

    ``prefixes`` are those that hold a model's objects, ``suffix`` is how their names end. Objects of a place that
    ``is_renamed`` are announced to a queue when they are written; what is left of them gets another key.
    """

    name: str
    prefixes: Callable[[str], tuple[str, ...]]
    redact: Redactor
    suffix: str = ""
    is_renamed: bool = False

    def rewritten(self, key: str) -> str:
        """Build the key that the rest of an object is written to."""
        return key + REWRITTEN if self.is_renamed and not key.endswith(REWRITTEN) else key


def _of(kind: str) -> Callable[[str], tuple[str, ...]]:
    return lambda model: (model_prefix(kind, model),)


def _or_unreadable(kind: str) -> Callable[[str], tuple[str, ...]]:
    return lambda model: (model_prefix(kind, model), model_prefix(kind, "_unreadable"))


def _sampled(take: Callable[[bytes, AbstractSet[str]], tuple[bytes, int]]) -> Redactor:
    """Build the redactor of profiles, of the few rows that they keep whole; counts name no subject.

    The counts of an hour follow when it is rebuilt, as it is when an object of its log is written again.
    """

    def redact(subject: Subject, content: bytes) -> RedactionResult | None:
        left, taken = take(content, subject.prediction_ids)
        return RedactionResult(left, taken) if taken else None

    return redact


LOG = DataLocation(name=PREDICTIONS, prefixes=_of(PREDICTIONS), redact=redact_lines(Subject.owns_record))
LABEL_RECORDS = DataLocation(name=LABELS, prefixes=_of(LABELS), redact=redact_lines(Subject.owns_record))
FEEDBACK = DataLocation(
    name="feedback",
    prefixes=lambda _: ("feedback/",),
    # Looked up in the subject: a whole model owns what an entity does not.
    redact=redact_lines(lambda subject, row: subject.owns_feedback(row), keeps_numbers=True),
    is_renamed=True,
)
REJECTS = tuple(
    DataLocation(
        name=kind,
        prefixes=_or_unreadable(kind),
        redact=redact_lines(lambda subject, row: subject.owns_reject(row)),
    )
    for kind in (QUARANTINE, REPLAYED)
)
# After the log and the table, which show what is the subject's, and before the datasets, which are made of the records.
OTHERS = (
    FEEDBACK,
    DataLocation(
        name="imports",
        prefixes=_of("imports"),
        redact=redact_lines(Subject.owns_item, keeps_numbers=True),
        is_renamed=True,
    ),
    *REJECTS,
    DataLocation(name=UPLOADS, prefixes=_of(UPLOADS), redact=redact_lines(Subject.owns_upload)),
    DataLocation(name="queries", prefixes=_of("queries"), redact=drop_if_mentioned, suffix=".csv"),
    DataLocation(name=PROFILES, prefixes=_of(PROFILES), redact=_sampled(hour_without_rows), suffix=".profile"),
    DataLocation(name="references", prefixes=_of("models"), redact=_sampled(without_rows), suffix=".profile"),
    DataLocation(name="golden rows", prefixes=_of("models"), redact=redact_golden, suffix="/golden.json"),
)

# Rewritten as a whole, see ``records`` and ``datasets``; exports are removed.
IN_OTHER_FORMS = (COMPACTED, "datasets", EXPORTS)
WITHOUT_SUBJECTS = {
    "checks": "distributions, figures and names of categories; no rows and no ids",
    "training-jobs": "figures of candidates",
    "relabels": "keys of objects",
}

# Every object under a model's own prefix goes with the model; of objects that models share, its rows.
KINDS = (
    PREDICTIONS,
    LABELS,
    COMPACTED,
    PROFILES,
    CHECKS,
    QUARANTINE,
    REPLAYED,
    "imports",
    "datasets",
    "models",
    "queries",
    EXPORTS,
    "training-jobs",
    UPLOADS,
    "erasures",
)
SHARED = (FEEDBACK, *REJECTS)
