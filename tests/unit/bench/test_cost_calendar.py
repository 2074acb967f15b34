"""The way of a run through the template's state machine, whose transitions are billed."""

from bench.cost.calendar import retraining_machine, walk
from bench.cost.play import FUNCTIONS_OF_A_RUN
from local.transformed import Place, deployment


def test_promoted_run_has_a_way_from_the_start_to_the_end_and_announces_each_step() -> None:
    machine = retraining_machine(deployment(place=Place(region="us-east-1")))
    one, announced = walk(machine, list(FUNCTIONS_OF_A_RUN), candidates=1)
    three, _ = walk(machine, list(FUNCTIONS_OF_A_RUN), candidates=3)
    assert announced == sum("putEvents" in state.get("Resource", "") for state in machine["States"].values())
    assert one > len(FUNCTIONS_OF_A_RUN)
    assert three > one


def test_rejected_run_has_a_way_to_the_end_too() -> None:
    machine = retraining_machine(deployment(place=Place(region="us-east-1")))
    _, announced = walk(machine, [name for name in FUNCTIONS_OF_A_RUN if name != "Deploy"], candidates=1)
    assert announced < walk(machine, list(FUNCTIONS_OF_A_RUN), candidates=1)[1]
