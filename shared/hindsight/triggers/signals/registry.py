"""The registry of signals: every kind that decisions evaluate, in the order in which they list it."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from hindsight.config.triggers import SignalSwitches, Triggers
from hindsight.monitoring.results.check import CheckKind
from hindsight.triggers import signals
from hindsight.triggers.inputs import TriggerInputs
from hindsight.triggers.signals.check import CheckSignal
from hindsight.triggers.signals.signal import Signal
from hindsight.triggers.status import SignalStatus


def _find_signals() -> Iterator[Signal]:
    """Find the classes with a ``kind`` in the modules beside this one: a new signal need be listed nowhere."""
    names = [f"{signals.__name__}.{module.name}" for module in iter_modules(signals.__path__)]
    for module in [import_module(name) for name in names if name != __name__]:
        for found in vars(module).values():
            if isinstance(found, type) and issubclass(found, Signal) and found.__module__ == module.__name__:
                yield from [found()] if hasattr(found, "kind") else []


def _place(signal: Signal) -> tuple[int, str]:
    """Order signals as their switches, those that need none, of events, behind them."""
    switches = list(SignalSwitches.model_fields)
    return switches.index(signal.kind) if signal.kind in switches else len(switches), signal.kind


SIGNALS: tuple[Signal, ...] = tuple(sorted(_find_signals(), key=_place))


CLAUSES: dict[str, str] = {signal.kind: signal.clause for signal in SIGNALS}


def name_of(kind: str) -> str:
    """Write a kind as it stands in text.

    >>> name_of("estimated_performance")
    'estimated performance'
    """
    return kind.replace("_", " ")


def evaluate_signals(inputs: TriggerInputs) -> tuple[SignalStatus, ...]:
    """Evaluate every kind of signal."""
    return tuple(signal.evaluate(inputs) for signal in SIGNALS)


def configured_checks(policy: Triggers) -> list[CheckKind]:
    """List the kinds of check behind the signals of a policy."""
    checks = [signal for signal in SIGNALS if isinstance(signal, CheckSignal)]
    return [signal.check_kind for signal in checks if signal.is_configured(policy)]
