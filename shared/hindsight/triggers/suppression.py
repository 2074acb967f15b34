"""The names of what can hold a run back."""

from enum import StrEnum


class SuppressedBy(StrEnum):
    """What held a run back; of several, the first in this order is named."""

    NO_SIGNAL = "no_signal"
    COMBINATION = "combination"
    OPEN_RUN = "open_run"
    UNDECIDED_TRIAL = "undecided_trial"
    RELABELLING = "relabelling"
    COOLDOWN = "cooldown"
    BACK_OFF = "back_off"
    RUN_BUDGET = "run_budget"
    MIN_NEW_LABELS = "min_new_labels"
