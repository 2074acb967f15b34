"""docs/capacity.md says what its command counts, and holds what is promised."""

import json
import re
from typing import Any

import pytest

from bench.capacity.__main__ import PAGE, SPEEDS, defaults
from bench.capacity.checks import READ_SECONDS, LabelCheck, checks_of
from bench.capacity.counts import Units, count
from bench.capacity.page import with_tables
from bench.capacity.parts import FULL_PROCESSOR_MEGABYTES, Part, bottleneck, parts_of
from bench.capacity.prefixes import prefixes_of
from functions.evaluate_rollouts import app as watch
from functions.monitor import app as monitor
from local.template import load_template

PROMISED = 5_000


@pytest.fixture(scope="module")
def counts() -> dict[str, Units]:
    return count()


@pytest.fixture(scope="module")
def parts(counts: dict[str, Units]) -> list[Part]:
    measured: dict[str, Any] = json.loads(SPEEDS.read_text(encoding="utf-8"))
    return parts_of(counts, measured["microseconds"], defaults())


@pytest.fixture(scope="module")
def checks() -> list[LabelCheck]:
    measured: dict[str, Any] = json.loads(SPEEDS.read_text(encoding="utf-8"))
    return checks_of(measured["microseconds"])


def test_page_shows_the_counted_numbers(counts: dict[str, Units], parts: list[Part], checks: list[LabelCheck]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    shown = with_tables(page, counts, parts, prefixes_of(defaults()), checks)
    assert shown == page, "make capacity writes the tables anew"


def test_every_prefix_of_the_lake_has_its_number_of_objects_a_day() -> None:
    page = (PAGE.parent / "data-model.md").read_text(encoding="utf-8")
    lake = page.partition("## The lake")[2].partition("\n## ")[0]
    described = set(re.findall(r"^\| `([a-z-]+)/", lake, re.MULTILINE))
    reckoned = [prefix.name for prefix in prefixes_of(defaults())]
    assert set(reckoned) == described
    assert len(set(reckoned)) == len(reckoned)


def test_lifecycle_names_no_prefix_that_is_not_reckoned() -> None:
    rules = load_template()["Resources"]["LakeBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expired = {rule["Prefix"].rstrip("/") for rule in rules if "Prefix" in rule}
    assert len(expired) > 5
    assert expired <= {prefix.name for prefix in prefixes_of(defaults())}


def test_quarantine_gets_an_object_a_minute_and_code_of_a_join_and_one_a_sweep() -> None:
    [found] = [one for one in prefixes_of({**defaults(), "FeedbackBufferSeconds": 120}) if one.name == "quarantine"]
    assert found.most == f"{720 * 4 + 288:,}"


def test_checks_of_labels_follow_the_default_limits_of_capture(checks: list[LabelCheck]) -> None:
    """They do not follow what is promised of the door with raised quotas: the page says where each ends."""
    door = defaults()["AppRequestsPerSecond"] / 2
    for check in checks:
        assert check.held < check.read < check.day
        assert check.day >= door, check
        assert check.day < PROMISED, "the page says that checks end sooner"


def test_functions_that_read_labels_have_the_time_that_is_reckoned_with() -> None:
    functions = load_template()["Resources"]
    for name, module in (("MonitorFunction", monitor), ("EvaluateRolloutsFunction", watch)):
        assert functions[name]["Properties"]["Timeout"] - module.RESERVED_MILLISECONDS / 1000 == READ_SECONDS
        assert functions[name]["Properties"]["MemorySize"] >= FULL_PROCESSOR_MEGABYTES


def test_one_model_reaches_the_promised_rate_by_raised_quotas_alone(parts: list[Part]) -> None:
    first = bottleneck(parts)
    assert first.most is not None
    assert first.most >= PROMISED, first


def test_every_part_below_the_promise_by_default_names_the_quota_that_lifts_it(parts: list[Part]) -> None:
    for part in parts:
        if part.default < PROMISED:
            assert any(word in part.lifted_by for word in ("quota", "parameter", "form")), part


def test_units_are_as_the_adapters_write_them(counts: dict[str, Units]) -> None:
    alone, batched = counts["saved in a call of one"], counts["saved in a full call"]
    assert (alone["writes"], batched["writes"], alone["writes:due"]) == (1, 2, 1)
    # A transaction of head, event and label record.
    assert counts["joined with its outcome"]["writes"] == 6
    assert counts["joined with its outcome"]["records"] == 3
