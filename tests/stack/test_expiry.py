from datetime import timedelta

from hindsight.adapters.models_table.registry_table import DynamoRegistry
from hindsight.lake.object_store import version_prefix
from hindsight.testing.builders.configuration import document
from hindsight.testing.builders.pointers import promoted
from local.client import StackClient
from tests.unit.retention.test_version_expiry import START, version


def test_daily_sweep_removes_expired_versions_and_none_that_serves(client: StackClient) -> None:
    model, lake = "expiring", client.lake
    client.call("PUT", f"models/{model}", key="operator", json={**document(), "model": model})
    registry = DynamoRegistry(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))
    records = [registry.put_version(model, version(day)) for day in range(12)]
    for record in records:
        lake.write_bytes(version_prefix(model, record.version) + "model.skops", b"x", "application/octet-stream")
    registry.move_pointer(model, promoted(records[0].version, START))

    report = client.run_schedule("ExpireVersions", START + timedelta(days=1000), model)

    # The newest ten stay, by the parameter's default.
    assert report == {"versions": 1, "datasets": 0, "objects": 1, "is_complete": True}
    left = set(lake.keys(f"models/model={model}/"))
    assert {version_prefix(model, record.version) + "model.skops" for record in records} - left == {
        version_prefix(model, records[1].version) + "model.skops"
    }
    shown = client.call("GET", f"models/{model}/versions?limit=100", key="operator")["versions"]
    assert [row["version"] for row in shown if "expired_at" in row] == [records[1].version]
