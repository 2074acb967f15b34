"""Where in the lake data of a subject may lie, in which form; and where none does, and why."""

from collections.abc import Callable
from dataclasses import dataclass

from hindsight.lake.object_store import (
    COMPACTED,
    LABELS,
    PREDICTIONS,
    PROFILES,
    QUARANTINE,
    REPLAYED,
    REWRITTEN,
    model_prefix,
)
from hindsight.privacy.profiles import clean_hour, clean_reference
from hindsight.privacy.redaction import Cleaner, clean_golden, clean_lines, drop_if_mentioned
from hindsight.privacy.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Objects of one form.

    ``prefixes`` are those that hold a model's objects, ``suffix`` is how their names end. Objects of a place that
    ``is_renamed`` are told to a queue when they are written; what is left of them is called otherwise.
    """

    name: str
    prefixes: Callable[[str], tuple[str, ...]]
    clean: Cleaner
    suffix: str = ""
    is_renamed: bool = False

    def rewritten(self, key: str) -> str:
        """Return where what is left of an object goes."""
        return key + REWRITTEN if self.is_renamed and not key.endswith(REWRITTEN) else key


def _of(kind: str) -> Callable[[str], tuple[str, ...]]:
    return lambda model: (model_prefix(kind, model),)


LOG = Place(name=PREDICTIONS, prefixes=_of(PREDICTIONS), clean=clean_lines(Subject.owns_record))
LABEL_RECORDS = Place(name=LABELS, prefixes=_of(LABELS), clean=clean_lines(Subject.owns_record))
# After the log and the table, which tell what is the subject's, and before the datasets, which are made of the records.
OTHERS = (
    Place(
        name="feedback",
        prefixes=lambda _: ("feedback/",),
        clean=clean_lines(Subject.owns_feedback, keeps_numbers=True),
        is_renamed=True,
    ),
    Place(
        name="imports",
        prefixes=_of("imports"),
        clean=clean_lines(Subject.owns_item, keeps_numbers=True),
        is_renamed=True,
    ),
    Place(
        name=QUARANTINE,
        prefixes=lambda model: (model_prefix(QUARANTINE, model), model_prefix(QUARANTINE, "_unreadable")),
        clean=clean_lines(Subject.owns_reject),
    ),
    Place(
        name=REPLAYED,
        prefixes=lambda model: (model_prefix(REPLAYED, model), model_prefix(REPLAYED, "_unreadable")),
        clean=clean_lines(Subject.owns_reject),
    ),
    Place(name="queries", prefixes=_of("queries"), clean=drop_if_mentioned, suffix=".csv"),
    Place(name=PROFILES, prefixes=_of(PROFILES), clean=clean_hour, suffix=".profile"),
    Place(name="references", prefixes=_of("models"), clean=clean_reference, suffix="/reference.profile"),
    Place(name="golden rows", prefixes=_of("models"), clean=clean_golden, suffix="/golden.json"),
)

# Rewritten as a whole: see ``records`` and ``datasets``.
IN_OTHER_FORMS = (COMPACTED, "datasets")
HOLDS_NOBODY = {
    "checks": "distributions, figures and names of categories; no rows and no ids",
    "training-jobs": "figures of candidates",
    "relabels": "keys of objects",
}
