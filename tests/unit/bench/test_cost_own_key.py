"""The cost of a key of yours: each principal asks it once for each five minutes in which it uses a resource."""

import pytest

from bench.cost.meter import Invocation
from bench.cost.own_key import dollars_of_a_key, key_requests


def invocation(kind: str, at: float, *uses: tuple[str, str]) -> Invocation:
    return Invocation(kind, at, "steady", uses=list(uses))


TABLE, QUEUE = ("dynamodb", "predictions"), ("sqs", "jobs")


def test_a_table_s_key_is_kept_five_minutes_by_each_principal() -> None:
    used = [invocation("Predict", at, TABLE, TABLE) for at in (0.0, 10.0, 299.0, 301.0)]
    assert key_requests(used) == 2
    assert key_requests([*used, invocation("JoinLabels", 5.0, TABLE)]) == 3


def test_a_queue_s_data_key_is_made_and_read_back() -> None:
    assert key_requests([invocation("Predict", 0.0, QUEUE), invocation("Predict", 1.0, QUEUE)]) == 2


@pytest.mark.parametrize("use", [("start", "environment"), ("secretsmanager", "token")])
def test_every_start_and_every_secret_asks_the_key(use: tuple[str, str]) -> None:
    assert key_requests([invocation("Predict", at, use) for at in (0.0, 1.0)]) == 2


def test_a_key_costs_a_dollar_and_three_cents_for_ten_thousand_requests() -> None:
    assert dollars_of_a_key(0) == 1.0
    assert dollars_of_a_key(10_000) == pytest.approx(1.03)
