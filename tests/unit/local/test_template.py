"""Definitions for the embedded server, without the parts that it does not know."""

import os
from typing import Any

import pytest

from local.template import load_template, localised, resources_of, with_plain_concurrency, with_plain_timeouts
from local.transformed import transformed

MAP: dict[str, Any] = {
    "Type": "Map",
    "MaxConcurrencyPath": "$.workers",
    "ItemProcessor": {"StartAt": "One", "States": {"One": {"Type": "Task", "TimeoutSeconds": "{% $left %}"}}},
}


def definition(**states: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def test_path_to_the_workers_of_a_map_becomes_a_number() -> None:
    plain = with_plain_concurrency(definition(Many=MAP), workers=3)["States"]["Many"]
    assert plain["MaxConcurrency"] == 3
    assert "MaxConcurrencyPath" not in plain
    assert plain["ItemProcessor"] == MAP["ItemProcessor"]


def test_path_of_a_map_within_a_map_becomes_a_number_too() -> None:
    outer = {"Type": "Map", "ItemProcessor": definition(Inner=MAP)}
    plain = with_plain_concurrency(definition(Outer=outer), workers=3)
    assert plain["States"]["Outer"]["ItemProcessor"]["States"]["Inner"]["MaxConcurrency"] == 3


@pytest.mark.parametrize("state", [{"Type": "Map", "MaxConcurrency": 5}, {"Type": "Map"}, {"Type": "Pass"}])
def test_state_without_a_path_to_its_workers_stays_as_it_is(state: dict[str, Any]) -> None:
    assert with_plain_concurrency(definition(One=state), workers=3)["States"]["One"] == state


def test_expression_of_a_timeout_becomes_a_number_within_a_map_too() -> None:
    inner = with_plain_timeouts(definition(Many=MAP), seconds=7)["States"]["Many"]["ItemProcessor"]["States"]["One"]
    assert inner["TimeoutSeconds"] == 7


def test_local_relabelling_has_as_many_workers_as_the_parameter_s_default() -> None:
    template = load_template()
    template["Parameters"]["ConsumerConcurrency"]["Default"] = 4
    layers = ("DependenciesLayer", "ScienceLayer", "DataLayer")
    machines = resources_of(localised(template, {layer: {} for layer in layers}), "AWS::Serverless::StateMachine")
    files = machines["RelabellingStateMachine"]["Properties"]["Definition"]["States"]["Files"]
    assert files["MaxConcurrency"] == 4
    assert "MaxConcurrencyPath" not in files


def test_transformation_leaves_no_region_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    transformed.__wrapped__()
    assert "AWS_DEFAULT_REGION" not in os.environ
