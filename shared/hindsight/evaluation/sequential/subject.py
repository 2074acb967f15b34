"""The subjects of sequential tests."""

from enum import StrEnum


class EvaluationSubject(StrEnum):
    """A challenger in a rollout, a champion on probation, or the live performance of a champion or one beside it."""

    ROLLOUT = "rollout"
    PROBATION = "probation"
    PERFORMANCE = "performance"
    PERFORMANCE_BESIDE = "performance_beside"
