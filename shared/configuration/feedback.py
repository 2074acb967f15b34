"""Who may speak about a prediction."""

from datetime import timedelta

from shared.configuration.types import PositiveDuration, Section


class FeedbackToken(Section):
    """Whether feedback needs the token that its prediction was answered with, and how long one is good."""

    required: bool = False
    expires: PositiveDuration = timedelta(days=30)


class FeedbackRules(Section):
    """What is asked of feedback besides that a rule reads it."""

    token: FeedbackToken = FeedbackToken()
