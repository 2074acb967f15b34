from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.expire_versions.app import handler
from hindsight.bootstrap import stores
from hindsight.lake.object_store import version_prefix
from hindsight.testing.builders.configuration import configuration
from tests.unit.retention.test_version_expiry import version

MODEL = "bike"
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


def test_the_sample_expires_old_versions_of_every_model(
    deployed: None, context: object, sample: Callable[[str], dict[str, Any]]
) -> None:
    stores.configurations().put(configuration(model=MODEL), NOW - timedelta(days=500))
    registry, lake = stores.registry(), stores.lake()
    records = [registry.put_version(MODEL, version(day)) for day in (0, 10, 20, 30)]
    for record in records:
        lake.write_bytes(version_prefix(MODEL, record.version) + "model.skops", b"x", "x")

    report = handler(sample("expire_versions"), context)

    assert report == {"versions": 2, "datasets": 0, "objects": 2, "is_complete": True}
    kept = [record.version for record in records[2:]]
    assert list(lake.keys("models/")) == [version_prefix(MODEL, name) + "model.skops" for name in kept]
    assert registry.version(MODEL, records[0].version).expired_at == NOW
    assert handler(sample("expire_versions"), context)["objects"] == 0
