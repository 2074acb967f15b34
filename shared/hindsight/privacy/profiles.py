"""Profiles without a subject's rows: the few that are kept whole. Counts name no subject.

The counts of an hour follow when it is rebuilt, as it is when an object of its log is written again.
"""

from hindsight.privacy.redaction import RedactionResult
from hindsight.privacy.subject import Subject
from hindsight.profiles.logs.stored_sample import hour_without_rows, without_rows


def redact_hour(subject: Subject, content: bytes) -> RedactionResult | None:
    """Take a subject's rows out of the profiles of an hour."""
    left, taken = hour_without_rows(content, subject.prediction_ids)
    return RedactionResult(left, taken) if taken else None


def redact_reference(subject: Subject, content: bytes) -> RedactionResult | None:
    """Take a subject's rows out of the profile of what a version was trained on."""
    left, taken = without_rows(content, subject.prediction_ids)
    return RedactionResult(left, taken) if taken else None
