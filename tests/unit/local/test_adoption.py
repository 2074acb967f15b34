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


def test_every_retained_resource_can_be_adopted() -> None:
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


def test_each_store_is_named_by_cloudformation_s_identifier_of_its_kind() -> None:
    named = resources_to_import(deployment(), {"LakeBucket": LAKE, **TABLES})

    identifiers = [one["ResourceIdentifier"] for one in named]
    assert identifiers == [{"BucketName": LAKE}, *({"TableName": table} for table in TABLES.values())]


def adopt_stores(folder: Path, *more: str) -> int:
    parser = argparse.ArgumentParser()
    adopt.add_arguments(parser)
    words = ["--lake", LAKE, "--predictions-table", "p", "--models-table", "m", "--out", str(folder)]
    return adopt.run(parser.parse_args([*words, *more]))


def test_command_writes_both_files_and_prints_the_next_steps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt_stores(tmp_path) == 0

    assert set(json.loads((tmp_path / "template.json").read_text())["Resources"]) == set(STORES)
    assert len(json.loads((tmp_path / "resources.json").read_text())) == len(STORES)
    printed = capsys.readouterr().out
    assert f"LakeBucketName={LAKE}" in printed
    assert "update-time-to-live" not in printed


def test_restored_tables_get_back_the_settings_missing_from_a_backup_before_they_are_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt_stores(tmp_path, "--restored") == 0

    before, _, _ = capsys.readouterr().out.partition("create-change-set")
    imported = json.loads((tmp_path / "template.json").read_text())["Resources"]
    for store, table in (("PredictionsTable", "p"), ("ModelsTable", "m")):
        properties = imported[store]["Properties"]
        assert f"update-time-to-live --table-name {table} " in before
        assert properties["TimeToLiveSpecification"]["AttributeName"] in before
        assert f"update-continuous-backups --table-name {table} " in before
        assert (f"update-table --table-name {table} " in before) == ("StreamSpecification" in properties)
    assert (
        f"StreamViewType={imported['PredictionsTable']['Properties']['StreamSpecification']['StreamViewType']}"
        in before
    )


def test_stores_of_a_stack_with_a_key_are_adopted_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-1111-2222-3333-444455556666"

    assert adopt_stores(tmp_path, "--parameter", f"KmsKeyArn={key}") == 0

    table = json.loads((tmp_path / "template.json").read_text())["Resources"]["PredictionsTable"]["Properties"]
    assert table["SSESpecification"]["KMSMasterKeyId"] == key
    assert f"KmsKeyArn={key}" in capsys.readouterr().out
