"""A signal is a file and its switch: it is found by itself, and the pages that list the signals are held against it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hindsight.config.triggers import AtLeast, SignalSwitches
from hindsight.triggers.signals.event import EventSignal
from hindsight.triggers.signals.registry import SIGNALS
from tests.event_schemas import schemas

PAGE = Path(__file__).parents[3] / "docs/triggers.md"
KINDS = [signal.kind for signal in SIGNALS]
COUNTED = [signal.kind for signal in SIGNALS if not isinstance(signal, EventSignal)]


def kinds_promised(part: Any) -> Iterator[list[str]]:
    """List the kinds that a schema gives for the signals of a run, list by list."""
    if isinstance(part, dict):
        if kinds := part.get("signals", {}).get("items", {}).get("properties", {}).get("kind", {}).get("enum"):
            yield kinds
        for value in part.values():
            yield from kinds_promised(value) if isinstance(value, dict) else ()


def test_every_counted_signal_has_a_switch_of_its_name_and_every_switch_a_signal() -> None:
    assert list(SignalSwitches.model_fields) == COUNTED, (
        "a signal is a class with a kind in shared/hindsight/triggers/signals/, and a field of that name in "
        "SignalSwitches of shared/hindsight/config/triggers.py"
    )
    assert len(set(KINDS)) == len(KINDS)


def test_signals_of_events_are_listed_last() -> None:
    assert KINDS[len(COUNTED) :] == ["alarm", "manual"]


def test_a_combination_may_ask_for_as_many_signals_as_there_are() -> None:
    assert AtLeast(at_least=len(COUNTED)).at_least == len(COUNTED)
    with pytest.raises(ValidationError):
        AtLeast(at_least=len(COUNTED) + 1)


def test_page_of_triggers_has_a_row_for_every_signal() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## Signals")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == KINDS, "docs/triggers.md, Signals: a row each"


def test_events_promise_every_kind_of_signal() -> None:
    promised = list(kinds_promised(schemas()))
    assert promised
    assert all(kinds == KINDS for kinds in promised), "docs/events.md: the kinds of the signals of RetrainingStarted"
