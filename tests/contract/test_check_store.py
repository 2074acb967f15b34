"""One suite judges the fake and the adapter."""

from datetime import UTC, datetime, timedelta

import pytest

from hindsight.adapters.models_table.check_table import DynamoChecks
from hindsight.monitoring.results.check import Check, CheckKind, CheckStore, Verdict
from hindsight.testing.models.check_store import InMemoryChecks

CHECK = Check(
    model="bike",
    kind=CheckKind.DRIFT,
    at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    model_version="v1",
    verdict=Verdict.DRIFT,
    reason="2 of 3 features drift",
    summary={"share": 0.667, "rows": 900, "features": {"hour": {"distance": 1.0, "p_value": None}}},
    report_key="checks/model=bike/date=2026-03-01/x.json",
)


@pytest.fixture(params=["in_memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> CheckStore:
    if request.param == "in_memory":
        return InMemoryChecks()
    return DynamoChecks("models", request.getfixturevalue("dynamodb"))


def test_before_the_first_check_there_is_none(store: CheckStore) -> None:
    assert store.latest("bike", CheckKind.DRIFT) is None


def test_a_check_comes_back_as_it_was(store: CheckStore) -> None:
    store.put(CHECK)
    assert store.latest("bike", CheckKind.DRIFT) == CHECK


def test_kinds_and_models_are_kept_apart(store: CheckStore) -> None:
    store.put(CHECK)
    assert store.latest("bike", CheckKind.PERFORMANCE) is None
    assert store.latest("car", CheckKind.DRIFT) is None


def test_a_newer_check_replaces_an_older_one(store: CheckStore) -> None:
    newer = CHECK.replace(at=CHECK.at + timedelta(hours=1), verdict=Verdict.OK)
    store.put(CHECK)
    store.put(newer)
    assert store.latest("bike", CheckKind.DRIFT) == newer


def test_a_replayed_older_check_does_not_hide_a_newer_one(store: CheckStore) -> None:
    store.put(CHECK)
    store.put(CHECK.replace(at=CHECK.at - timedelta(hours=1), verdict=Verdict.OK))
    assert store.latest("bike", CheckKind.DRIFT) == CHECK


def test_checks_beside_the_champion_are_those_of_the_newest_round(store: CheckStore) -> None:
    assert store.beside("bike") == []
    first = [CHECK.replace(model_version=version, champion="v1") for version in ("v3", "v2")]
    store.put_beside("bike", CHECK.at, first)
    assert store.beside("bike") == first
    store.put_beside("bike", CHECK.at + timedelta(hours=1), first[:1])
    store.put_beside("bike", CHECK.at, [])
    assert store.beside("bike") == first[:1]
    assert store.latest("bike", CheckKind.DRIFT) is None


def test_the_same_check_again_replaces_itself(store: CheckStore) -> None:
    store.put(CHECK)
    store.put(CHECK.replace(reason="again"))
    found = store.latest("bike", CheckKind.DRIFT)
    assert found is not None
    assert found.reason == "again"
