"""Profiles without a subject's rows: the few that are kept whole. What is only counted names nobody.

The counts of an hour follow when it is built anew, as it is when an object of its log is written again.
"""

from hindsight.privacy.redaction import Cleaned
from hindsight.privacy.subject import Subject
from hindsight.profiles.logs.stored_sample import hour_without_rows, without_rows


def clean_hour(subject: Subject, content: bytes) -> Cleaned | None:
    """Take a subject's rows out of the profiles of an hour."""
    left, taken = hour_without_rows(content, subject.prediction_ids)
    return Cleaned(left, taken) if taken else None


def clean_reference(subject: Subject, content: bytes) -> Cleaned | None:
    """Take a subject's rows out of the profile of what a version was trained on."""
    left, taken = without_rows(content, subject.prediction_ids)
    return Cleaned(left, taken) if taken else None
