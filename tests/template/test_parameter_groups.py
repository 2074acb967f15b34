"""The form in which the console asks for the parameters: each in a group, each with a label."""

from itertools import chain
from typing import Any


def test_every_parameter_is_in_one_group_and_has_a_label(template: dict[str, Any]) -> None:
    form = template["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = list(chain.from_iterable(group["Parameters"] for group in form["ParameterGroups"]))
    assert sorted(grouped) == sorted(template["Parameters"])
    assert form["ParameterLabels"].keys() == template["Parameters"].keys()
    labels = [label["default"] for label in form["ParameterLabels"].values()]
    assert all(labels)
    assert len(set(labels)) == len(labels)


def test_parameters_are_listed_in_the_order_of_their_groups(template: dict[str, Any]) -> None:
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert list(template["Parameters"]) == [name for group in groups for name in group["Parameters"]]
