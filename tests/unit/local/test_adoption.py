"""A new stack around the stores of an earlier one."""

import argparse
import json
from pathlib import Path

import pytest

from local.adoption import STORES, import_template, resources_to_import
from local.commands import adopt
from local.transformed import deployment, transformed

LAKE = "hindsight-lake-123456789012-eu-central-1"
TABLES = {"PredictionsTable": "hindsight-PredictionsTable-1A", "ModelsTable": "hindsight-ModelsTable-1B"}


def test_whatever_the_stack_keeps_when_it_is_deleted_can_be_adopted() -> None:
    resources = transformed()["Resources"]
    kept = {name for name, one in resources.items() if "Retain" in one.get("DeletionPolicy", "")}

    assert kept == set(STORES)


def test_imported_stores_are_those_of_the_template_so_that_the_next_deployment_replaces_none() -> None:
    plan = deployment({"LakeBucketName": LAKE})
    imported = import_template(plan, LAKE)["Resources"]

    assert imported["LakeBucket"]["Properties"] == {"BucketName": LAKE}
    assert plan.resources["LakeBucket"]["Properties"]["BucketName"] == LAKE
    for table in ("PredictionsTable", "ModelsTable"):
        assert imported[table]["Properties"] == plan.resources[table]["Properties"]
    assert all(one["DeletionPolicy"] == "Retain" for one in imported.values())


def test_each_store_is_named_by_what_cloudformation_knows_its_kind_by() -> None:
    named = resources_to_import(deployment(), {"LakeBucket": LAKE, **TABLES})

    identifiers = [one["ResourceIdentifier"] for one in named]
    assert identifiers == [{"BucketName": LAKE}, *({"TableName": table} for table in TABLES.values())]


def test_command_writes_both_files_and_prints_what_to_do_with_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    adopt.add_arguments(parser)
    words = ["--lake", LAKE, "--predictions-table", "p", "--models-table", "m", "--out", str(tmp_path)]

    assert adopt.run(parser.parse_args(words)) == 0

    assert set(json.loads((tmp_path / "template.json").read_text())["Resources"]) == set(STORES)
    assert len(json.loads((tmp_path / "resources.json").read_text())) == len(STORES)
    assert f"LakeBucketName={LAKE}" in capsys.readouterr().out
