"""The registry of signals: every kind that decisions evaluate, in the order in which they list it."""

from hindsight.config.triggers import Triggers
from hindsight.monitoring.results.check import CheckKind
from hindsight.triggers.inputs import TriggerInputs
from hindsight.triggers.signals.check import CheckSignal, DriftSignal, EstimatedPerformanceSignal, PerformanceSignal
from hindsight.triggers.signals.event import AlarmSignal, ManualSignal
from hindsight.triggers.signals.schedule import ScheduleSignal
from hindsight.triggers.signals.signal import Signal
from hindsight.triggers.signals.volume import VolumeSignal
from hindsight.triggers.status import SignalStatus

SIGNALS: tuple[Signal, ...] = (
    ScheduleSignal(),
    VolumeSignal(),
    DriftSignal(),
    PerformanceSignal(),
    EstimatedPerformanceSignal(),
    AlarmSignal(),
    ManualSignal(),
)


def evaluate_signals(inputs: TriggerInputs) -> tuple[SignalStatus, ...]:
    """Evaluate every kind of signal."""
    return tuple(signal.evaluate(inputs) for signal in SIGNALS)


def configured_checks(policy: Triggers) -> list[CheckKind]:
    """List the kinds of check behind the signals of a policy."""
    checks = [signal for signal in SIGNALS if isinstance(signal, CheckSignal)]
    return [signal.check_kind for signal in checks if signal.is_configured(policy)]
