"""The tables of docs/rollout-evaluation.md are the record of the bench, which keeps what is promised."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench.rollback_tables import ALLOWED, PAGE, RECORD, probation_table, rollout_table
from hindsight.registry.pointer import RolloutMode
from local.pages import read_block

ROOT = Path(__file__).parents[3]
# After a change of the tests: .venv/bin/python -m bench.rollback
MEASURED: dict[str, Any] = json.loads((ROOT / RECORD).read_text(encoding="utf-8"))


def test_tables_are_the_record() -> None:
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert read_block(page, "rollouts") == rollout_table(MEASURED)
    assert read_block(page, "probations") == probation_table(MEASURED)
    assert f"{MEASURED['rollout_labels']:,} labels" in page


@pytest.mark.parametrize("mode", list(RolloutMode))
def test_version_worse_by_all_that_is_allowed_is_hardly_ever_promoted_and_an_equal_one_nearly_always(
    mode: RolloutMode,
) -> None:
    found = MEASURED["rollouts_by_drop"][mode]
    assert found[str(ALLOWED)]["promoted"] <= 0.05
    assert found["0.0"]["promoted_within"]["2000"] >= 0.9
    assert found["0.1"]["promoted"] == 0.0
