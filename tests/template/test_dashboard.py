"""The dashboard shows what there is, names what is published, and can be read by a person."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from local.template import resources_of
from tests.template.metric_names import embedded_metrics, is_among, put_metrics

Widget = dict[str, Any]

COLUMNS = 24
SEARCHED = re.compile(r"""SEARCH\('\{Hindsight,([\w,]+)\} MetricName="(\w+)"', '(\w+)', 3600\)""")


def named(value: Any) -> str:
    """Resolve a reference by the logical id."""
    return str(value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0])


@pytest.fixture(scope="module")
def lists(template: dict[str, Any]) -> dict[str, list[str]]:
    _, variables = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    return {name: [named(value) for value in joined["Fn::Join"][1]] for name, joined in variables.items()}


@pytest.fixture(scope="module")
def widgets(template: dict[str, Any]) -> list[Widget]:
    """The body as CloudFormation makes it."""
    text, variables = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for name, joined in variables.items():
        separator, values = joined["Fn::Join"]
        text = text.replace(f"${{{name}}}", separator.join(map(named, values)))
    body = json.loads(re.sub(r"\$\{[\w:]+\}", "substituted", text))
    found: list[Widget] = body["widgets"]
    return found


def rows(widgets: list[Widget]) -> Iterator[list[Any]]:
    for widget in widgets:
        yield from widget["properties"].get("metrics", [])


def searches(widgets: list[Widget]) -> list[tuple[str, str, str]]:
    """List the dimensions, the metric and the statistic of every search."""
    expressions = [row[0]["expression"] for row in rows(widgets) if isinstance(row[0], dict)]
    matched = [SEARCHED.fullmatch(expression) for expression in expressions]
    assert None not in matched, expressions
    return [match.group(1, 2, 3) for match in matched if match]


def test_every_metric_searched_for_is_published_with_such_dimensions(widgets: list[Widget]) -> None:
    embedded, put = embedded_metrics(), put_metrics()
    assert len(searches(widgets)) > 20
    for dimensions, name, _ in searches(widgets):
        if "service" in dimensions:  # Powertools adds it to the dimensions of a function
            assert dimensions in {"Model,service", "Model,ModelVersion,service"}, name
            assert is_among(name, embedded), name
        else:
            assert dimensions in {"Model", "Model,ModelVersion", "Model,State"}, name
            assert is_among(name, put), name


def test_every_single_metric_is_published(widgets: list[Widget]) -> None:
    single = [row for row in rows(widgets) if not isinstance(row[0], dict)]
    names = [row[1] for row in single if row[0] in {"Hindsight", "."} and row[1].startswith("Retrainings")]
    assert names == ["RetrainingsTriggered", "RetrainingsBlocked"]
    assert all(is_among(name, embedded_metrics()) for name in names)


def test_counts_are_summed_and_states_are_not(widgets: list[Widget]) -> None:
    for dimensions, name, statistic in searches(widgets):
        assert (statistic == "Sum") == ("service" in dimensions), name


def test_no_two_widgets_overlap_and_none_leaves_the_page(widgets: list[Widget]) -> None:
    cells = [
        {
            (column, row)
            for column in range(widget["x"], widget["x"] + widget["width"])
            for row in range(widget["y"], widget["y"] + widget["height"])
        }
        for widget in widgets
    ]
    assert all(column < COLUMNS for taken in cells for column, _ in taken)
    assert not [1 for one, other in combinations(cells, 2) if one & other]
    covered = set().union(*cells)
    assert len(covered) == COLUMNS * (1 + max(row for _, row in covered))  # nor is there a hole in it


def test_every_row_of_graphs_is_explained_by_the_text_above_it(widgets: list[Widget]) -> None:
    in_order = sorted(widgets, key=lambda widget: (widget["y"], widget["x"]))
    headings = [widget for widget in in_order if widget["type"] == "text"]
    assert len(headings) >= 6
    assert in_order[0] is headings[0]
    for heading in headings:
        title, _, explained = heading["properties"]["markdown"].partition("\n")
        assert title.startswith("#")
        assert len(explained) > 40, title
    assert all(widget["properties"]["title"] for widget in in_order if widget["type"] != "text")


def test_all_functions_dead_letter_queues_and_alarms_are_on_it(
    template: dict[str, Any], lists: dict[str, list[str]]
) -> None:
    queues = [name for name in resources_of(template, "AWS::SQS::Queue") if "DeadLetter" in name]
    message = "list it with the dashboard of template.yaml, below its body"
    assert sorted(lists["DeadLetterQueues"]) == sorted(queues), message
    assert sorted(lists["Functions"]) == sorted(resources_of(template, "AWS::Serverless::Function")), message
    assert sorted(lists["Alarms"]) == sorted(resources_of(template, "AWS::CloudWatch::Alarm")), message


def test_the_joined_lists_become_rows_of_a_graph(widgets: list[Widget], lists: dict[str, list[str]]) -> None:
    (errors,) = [widget for widget in widgets if widget["properties"].get("title") == "Function errors"]
    first, *others = errors["properties"]["metrics"]
    assert first == ["AWS/Lambda", "Errors", "FunctionName", lists["Functions"][0]]
    assert others == [["...", name] for name in lists["Functions"][1:]]


def test_stack_outputs_the_address_of_the_dashboard(template: dict[str, Any]) -> None:
    assert "dashboards/dashboard/${Dashboard}" in template["Outputs"]["DashboardUrl"]["Value"]["Fn::Sub"]
