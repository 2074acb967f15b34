"""Data of a model's months are removed as the template's lifecycle says."""

from types import SimpleNamespace
from typing import Any

import pytest

from bench.cost import ageing
from bench.cost.calendar import DAY


class Objects:
    """A lake that only forgets."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    def delete_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803  as boto3 names them
        self.deleted.append(Key)


def test_objects_go_when_an_enabled_rule_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [
        {"Prefix": "profiles/", "Status": "Enabled", "ExpirationInDays": 30},
        {"Prefix": "feedback/", "Status": "Disabled", "ExpirationInDays": 1},
        {"Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 1}},
    ]
    bucket = {"LifecycleConfiguration": {"Rules": rules}}
    account: Any = SimpleNamespace(
        now=40 * DAY,
        bucket="lake",
        deployment=SimpleNamespace(of=lambda _: {"LakeBucket": bucket}),
        stored={"profiles/old": (1, 9 * DAY), "profiles/new": (1, 11 * DAY), "feedback/old": (1, 0.0)},
    )
    objects = Objects()
    monkeypatch.setattr(ageing, "plain_client", lambda _: objects)
    play: Any = SimpleNamespace(account=account)
    ageing.expire(play)
    assert objects.deleted == ["profiles/old"]
    assert sorted(account.stored) == ["feedback/old", "profiles/new"]
