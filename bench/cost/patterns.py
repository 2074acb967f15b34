"""Filter patterns of event source mappings, as far as the template uses them."""

from collections.abc import Mapping
from typing import Any


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Check whether an event passes a filter.

    >>> matches({"a": {"b": [{"prefix": "x"}]}}, {"a": {"b": "xy"}}), matches({"a": [{"exists": True}]}, {})
    (True, False)
    """
    for name, wanted in pattern.items():
        if isinstance(wanted, Mapping):
            inner = event.get(name)
            if not matches(wanted, inner if isinstance(inner, Mapping) else {}):
                return False
        elif not any(_is(one, name, event) for one in wanted):
            return False
    return True


def _is(wanted: Any, name: str, event: Mapping[str, Any]) -> bool:
    if isinstance(wanted, Mapping):
        if "exists" in wanted:
            return (name in event) is wanted["exists"]
        return str(event.get(name, "")).startswith(wanted["prefix"]) and name in event
    return name in event and event[name] == wanted
