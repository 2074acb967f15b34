"""The figures of an account that other measurements make: of the template, of the lake, and within an account."""

from datetime import UTC, datetime
from typing import Any

from bench import objects_a_day, relabelling_rate, request_latency
from local.account_rules import findings, parameter_sets
from local.account_rules.functions import layers_not_built
from local.client import StackClient
from local.transformed import deployment

# A time that nothing else in the account is about.
MADE = datetime(2027, 3, 1, 12, tzinfo=UTC)
RELABELLED_FILES = 1000
_OBJECTS, _FILES = "objects_a_day_at_4_per_second", "relabelling_files_per_second"
_REQUESTS = ("retrain_answer_p99_seconds", "explain_p99_seconds")


def of_the_template() -> dict[str, Any]:
    """Count the sets of parameters that make a difference, and what would fail on an account with each of them."""
    sets = parameter_sets()
    found = sorted({finding for one in sets for finding in findings(one)})
    return {
        "parameter_sets": len(sets),
        "findings": len(found),
        "findings_listed": found,
        # The sizes of their functions are not judged here; ``make build`` judges them.
        "layers_not_built": sorted(layers_not_built(deployment()).values()),
    }


def of_the_lake() -> dict[str, Any]:
    """Count the objects that a day leaves in the lake, of the kind that has most."""
    found = objects_a_day.measure()
    return {_OBJECTS: found[_OBJECTS], "objects": found}


def within(client: StackClient) -> dict[str, Any]:
    """Measure how long operators wait, and how fast a relabelling is, with an account's latencies."""
    asked = request_latency.measure(client)
    relabelled = relabelling_rate.measure(client, made=MADE, files=RELABELLED_FILES)
    figures = {**{name: asked[name] for name in _REQUESTS}, _FILES: relabelled[_FILES]}
    return {**figures, "asked": asked, "relabelled": relabelled}
