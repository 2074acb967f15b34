import copy
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from functions.profile_predictions.app import handler
from hindsight.bootstrap import stores
from hindsight.lake.object_store import PREDICTIONS, day_prefix
from hindsight.profiles.logs.hourly import window_profile
from hindsight.profiles.profile import Profile
from tests.functions.conftest import Context
from tests.functions.labelling import configure
from tests.unit.labels.builders import MODEL
from tests.unit.profiles.builders import row

pytestmark = pytest.mark.usefixtures("deployed")
Sample = Callable[[str], dict[str, Any]]

FIRST, SECOND = "100000000000000000001", "100000000000000000002"


def write_log(name: str, *numbers: int) -> None:
    rows = [row(number, model=MODEL, features={"temperature": 0.5, "hour": "8"}) for number in numbers]
    stores.lake().write_lines(f"{day_prefix(PREDICTIONS, MODEL, date(2026, 3, 1))}{name}.jsonl.gz", rows)


def profiled() -> Profile:
    day = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    return window_profile(stores.lake(), MODEL, *day).all


def test_the_sample_profiles_its_objects_and_lets_the_test_event_pass(
    sample: Sample, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    configure()
    write_log(FIRST, *range(30))
    write_log(SECOND, *range(30, 50))

    answer = handler(sample("profile_predictions"), context)

    assert answer == {"batchItemFailures": []}
    assert (profiled().rows, profiled().features["temperature"].present) == (50, 50)
    assert [vars(logged)["predictions"] for logged in caplog.records] == [50]


def test_the_same_batch_again_changes_nothing(sample: Sample, context: Context) -> None:
    configure()
    write_log(FIRST, *range(30))
    write_log(SECOND, 30)
    handler(sample("profile_predictions"), context)
    before = dict(stores.lake().tags("profiles/"))

    handler(sample("profile_predictions"), context)

    assert dict(stores.lake().tags("profiles/")) == before


def test_an_object_written_again_counts_as_it_is_now(sample: Sample, context: Context) -> None:
    configure()
    write_log(FIRST, *range(30))
    write_log(SECOND, 30)
    handler(sample("profile_predictions"), context)
    write_log(FIRST, *range(5))

    handler(sample("profile_predictions"), context)

    assert sorted(found["prediction_id"] for found in profiled().sample.rows) == [
        f"p-{number:06d}" for number in (0, 1, 2, 3, 4, 30)
    ]


def test_damaged_object_and_unreadable_message_fail_alone(
    sample: Sample, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    configure()
    write_log(FIRST, 1, 2, 3)
    damaged = f"{day_prefix(PREDICTIONS, MODEL, date(2026, 3, 1))}{SECOND}.jsonl.gz"
    stores.lake().write_bytes(damaged, b"\x1f\x8b-not-gzip", "application/x-ndjson")
    event = sample("profile_predictions")
    foreign = copy.deepcopy(event["Records"][0])
    foreign.update(messageId="foreign", body="not json")
    event["Records"].append(foreign)

    answer = handler(event, context)

    assert {failure["itemIdentifier"] for failure in answer["batchItemFailures"]} == {
        "foreign",
        event["Records"][1]["messageId"],
    }
    assert profiled().rows == 3
    assert [vars(logged)["key"] for logged in caplog.records if logged.levelname == "ERROR"] == [damaged]


def test_the_log_of_a_model_that_is_not_known_is_done_with(
    sample: Sample, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    write_log(FIRST, 1)
    write_log(SECOND, 2)

    assert handler(sample("profile_predictions"), context) == {"batchItemFailures": []}
    assert list(stores.lake().keys("profiles/")) == []
    assert [vars(logged)["models"] for logged in caplog.records if logged.levelname == "WARNING"] == [[MODEL]]
