"""The subjects of evaluations in service."""

from enum import StrEnum


class EvaluationSubject(StrEnum):
    """A challenger in a rollout beside the champion, or a champion on probation."""

    ROLLOUT = "rollout"
    PROBATION = "probation"
