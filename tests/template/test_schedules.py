"""The clock starts one thing at a time, and what reads another's work comes after it."""

from itertools import combinations

import pytest

from local.schedules import minutes_of, most_at_a_tick, seconds_between
from local.transformed import Deployment, deployment

# The longest that a function may take, in minutes.
LONGEST_RUN = 15


@pytest.fixture(scope="module")
def deployed() -> Deployment:
    return deployment()


@pytest.fixture(scope="module")
def expressions(deployed: Deployment) -> dict[str, str]:
    return {
        name.split("Function")[0]: schedule["ScheduleExpression"]
        for name, schedule in deployed.of("AWS::Scheduler::Schedule").items()
    }


def test_no_two_schedules_share_a_minute(expressions: dict[str, str]) -> None:
    for one, other in combinations(expressions, 2):
        assert not minutes_of(expressions[one]) & minutes_of(expressions[other]), (one, other)


@pytest.mark.parametrize(("models", "invocations"), [(1, 1), (2, 3), (1000, 1001)])
def test_tick_asks_for_one_invocation_a_model_and_one_that_starts_them(
    deployed: Deployment, models: int, invocations: int
) -> None:
    assert most_at_a_tick(deployed, models) == invocations


def test_schedules_that_tick_together_are_summed(deployed: Deployment) -> None:
    """As all rates do that one deployment made."""
    rates = {
        name: {**one, "Properties": {**one["Properties"], "ScheduleExpression": "rate(1 hour)"}}
        for name, one in deployed.resources.items()
        if one["Type"] == "AWS::Scheduler::Schedule"
    }
    together = Deployment({}, deployed.place, {**deployed.resources, **rates})
    assert most_at_a_tick(together, 10) == (len(rates) - 1) * 11 + 1


def test_triggers_are_evaluated_after_the_monitoring_of_the_same_hour(expressions: dict[str, str]) -> None:
    """Also of the last of many models, whose turn comes late."""
    (monitored,), (checked,) = minutes_of(expressions["Monitor"]), minutes_of(expressions["CheckTriggers"])
    assert monitored + LONGEST_RUN < checked
    assert seconds_between(expressions["Monitor"]) == seconds_between(expressions["CheckTriggers"])
