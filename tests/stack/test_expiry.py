from datetime import timedelta

from hindsight.adapters.models_table.member_table import DynamoMembers
from hindsight.adapters.models_table.registry_table import DynamoRegistry
from hindsight.lake.object_store import dataset_prefix, version_prefix
from hindsight.registry.version import DatasetRecord
from hindsight.testing.builders.configuration import document
from hindsight.testing.builders.pointers import promoted
from local.client import StackClient
from tests.unit.retention.test_version_expiry import START, dataset_name, version


def dataset(day: int) -> DatasetRecord:
    return DatasetRecord(
        dataset_id=dataset_name(day),
        manifest_key="manifest.json",
        digest="d",
        as_of=START + timedelta(days=day),
        configuration_revision=1,
        counts={},
    )


def test_daily_sweep_removes_expired_versions_with_their_datasets_and_none_that_serves(client: StackClient) -> None:
    model, lake = "expiring", client.lake
    client.call("PUT", f"models/{model}", key="operator", json={**document(), "model": model})
    table, dynamodb = client.stack.outputs["ModelsTable"], client.aws("dynamodb")
    registry, members = DynamoRegistry(table, dynamodb), DynamoMembers(table, dynamodb)
    records = [registry.put_version(model, version(day)) for day in range(12)]
    for record in records:
        lake.write_bytes(version_prefix(model, record.version) + "model.skops", b"x", "application/octet-stream")
    registry.move_pointer(model, promoted(records[0].version, START))
    for day in range(12):
        registry.put_dataset(model, dataset(day))
    expired = dataset_name(1)
    lake.write_bytes(dataset_prefix(model, expired) + "train.npz", b"x", "application/octet-stream")
    members.replace(model, expired, {0: b"x"})

    report = client.run_schedule("ExpireVersions", START + timedelta(days=1000), model)

    # The newest ten stay, by the parameter's default.
    assert report == {"versions": 1, "datasets": 1, "objects": 2, "is_complete": True}
    left = set(lake.keys(f"models/model={model}/"))
    assert {version_prefix(model, record.version) + "model.skops" for record in records} - left == {
        version_prefix(model, records[1].version) + "model.skops"
    }
    assert not list(lake.keys(dataset_prefix(model, expired)))
    assert members.buckets(model, {expired: 0}) == {}
    shown = client.call("GET", f"models/{model}/versions?limit=100", key="operator")["versions"]
    assert [row["version"] for row in shown if "expired_at" in row] == [records[1].version]
