"""Profiles without a subject's rows: the few that are kept whole. What is only counted names nobody."""

from collections.abc import Mapping
from dataclasses import replace

from shared.erasure.cleaning import Cleaned
from shared.erasure.subject import Subject
from shared.profiles.codec import decode, encode
from shared.profiles.hour import decode_hour, encode_hour
from shared.profiles.profile import Profile


def clean_hour(subject: Subject, content: bytes) -> Cleaned | None:
    """Take a subject's rows out of the profiles of an hour.

    Its counts follow when the hour is built anew, as it is when an object of its log is written again.
    """
    hour = decode_hour(content)
    kept, taken = _without(subject, hour.by_version)
    return Cleaned(encode_hour(replace(hour, by_version=kept)), taken) if taken else None


def clean_reference(subject: Subject, content: bytes) -> Cleaned | None:
    """Take a subject's rows out of the profile of what a version was trained on."""
    kept, taken = _without(subject, {"": decode(content)})
    return Cleaned(encode(kept[""]), taken) if taken else None


def _without(subject: Subject, profiles: Mapping[str, Profile]) -> tuple[dict[str, Profile], int]:
    kept, taken = dict[str, Profile](), 0
    for name, profile in profiles.items():
        rows = [
            (packed, row["prediction_id"])
            for packed, row in zip(profile.sample.sampled, profile.sample.rows, strict=True)
        ]
        left = tuple(packed for packed, prediction_id in rows if prediction_id not in subject.prediction_ids)
        taken += len(rows) - len(left)
        kept[name] = replace(profile, sample=replace(profile.sample, sampled=left))
    return kept, taken
