"""The preflight's checks of quotas: concurrency, memory, code storage, Firehose, throttles."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from local.preflight.check import Account, Verdict, run_checks
from local.preflight.quotas import (
    CALLS_AT_ONCE,
    check_api_gateway,
    check_code_storage,
    check_concurrency,
    check_firehose,
    check_memory,
    consumers_of,
    relabelling_workers,
)
from local.schedules import most_at_a_tick
from tests.unit.local.accounts import REGION, Settings, Throttle, check, command, planned


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


def test_new_account_is_warned_that_consumers_would_starve_the_api() -> None:
    found = check(check_concurrency, planned(), **{"lambda": Settings(concurrency=10)})

    assert found.verdict is Verdict.WARNING
    assert "L-B99A9384" in found.mend


def test_usual_concurrency_suffices_for_every_consumer_and_calls() -> None:
    assert consumers_of(planned()) >= 10
    assert check(check_concurrency, planned(), **{"lambda": Settings()}).verdict is Verdict.OK


@pytest.mark.parametrize(("concurrency", "workers"), [("2", 2), ("12", 12), ("500", 40)])
def test_relabelling_takes_as_many_invocations_as_a_queue_and_forty_at_most(concurrency: str, workers: int) -> None:
    assert relabelling_workers(planned(ConsumerConcurrency=concurrency)) == workers


def test_account_with_room_for_consumers_alone_is_warned_that_a_relabelling_leaves_none_for_calls() -> None:
    plan = planned()
    without = consumers_of(plan) + most_at_a_tick(plan, models=1) + CALLS_AT_ONCE
    found = check(check_concurrency, plan, **{"lambda": Settings(concurrency=without)})
    assert found.verdict is Verdict.WARNING
    assert f"a relabelling {relabelling_workers(plan)}" in found.found
    enough = Settings(concurrency=without + relabelling_workers(plan))
    assert check(check_concurrency, plan, **{"lambda": enough}).verdict is Verdict.OK


@pytest.mark.parametrize(("models", "verdict"), [(1, Verdict.OK), (960, Verdict.OK), (980, Verdict.WARNING)])
def test_schedule_that_would_take_all_concurrency_is_reported(models: int, verdict: Verdict) -> None:
    settings = Settings()
    account = Account(lambda service: settings if service == "lambda" else boto3.client(service), models)
    (found,) = run_checks(account, planned(), [check_concurrency])
    assert found.verdict is verdict
    assert f"(of models: {models})" in found.found


def test_command_refuses_less_than_one_model(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command("--models", "0")
    assert "--models" in capsys.readouterr().err


def test_concurrency_reserved_by_other_functions_does_not_count() -> None:
    assert check(check_concurrency, planned(), **{"lambda": Settings(reserved=990)}).verdict is Verdict.WARNING


def test_default_memory_fits_a_new_account() -> None:
    assert check(check_memory, planned(), **{"lambda": Settings(concurrency=10)}).verdict is Verdict.OK


@pytest.mark.parametrize(("concurrency", "verdict"), [(10, Verdict.FAILURE), (1000, Verdict.WARNING)])
def test_more_memory_than_a_new_account_gives_is_reported(concurrency: int, verdict: Verdict) -> None:
    found = check(check_memory, planned(WorkMemory="10240"), **{"lambda": Settings(concurrency=concurrency)})

    assert found.verdict is verdict
    assert "WorkMemory=3008" in found.mend


@pytest.mark.parametrize(("used", "verdict"), [(0, Verdict.OK), (75 * 1024**3 - 1024, Verdict.FAILURE)])
def test_full_code_storage_is_reported(used: int, verdict: Verdict) -> None:
    assert check(check_code_storage, planned(), **{"lambda": Settings(code=used)}).verdict is verdict


@pytest.mark.parametrize(
    ("region", "calls", "verdict"),
    [
        ("us-east-1", "2000", Verdict.OK),
        ("eu-central-1", "500", Verdict.OK),
        ("eu-central-1", "10000", Verdict.WARNING),
    ],
)
def test_apps_may_not_send_more_than_firehose_takes(region: str, calls: str, verdict: Verdict) -> None:
    assert check(check_firehose, planned(region, AppRequestsPerSecond=calls)).verdict is verdict


@pytest.mark.parametrize(("rate", "verdict"), [(10_000.0, Verdict.OK), (100.0, Verdict.WARNING)])
def test_throttle_below_the_apps_rate_is_reported(rate: float, verdict: Verdict) -> None:
    assert check(check_api_gateway, planned(), apigateway=Throttle(rate)).verdict is verdict
