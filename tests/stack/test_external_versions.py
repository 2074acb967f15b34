"""Versions that another server answers with, on a running stack: adopted, tried out beside each other, monitored."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hindsight.config.parse import parse_configuration
from hindsight.core.times import format_time
from hindsight.lake.object_store import LABELS, day_prefix
from hindsight.profiles.build import profile_rows
from hindsight.profiles.logs.hour import HourProfiles, encode_hour
from hindsight.profiles.logs.hourly import hour_key
from local.client import StackClient
from tests.event_schemas import require_promised
from tests.stack.waiting import eventually
from tests.unit.monitoring.estimates import binary_rows
from tests.unit.rollout.world import drawn, records

MODEL = "elsewhere"
DAY = timedelta(days=1)
STARTED = datetime(2027, 9, 1, 12, tzinfo=UTC)
NOW = STARTED + 3 * DAY
DOCUMENT = {
    "model": MODEL,
    "task": "binary",
    "serving": "external",
    "features": {"x": {"type": "numeric"}},
    "labels": {"rules": [{"event": "outcome", "window": "P1D"}]},
    "monitoring": {"min_rows": 100, "baseline": {"rows": 200}, "performance": {"metric": "accuracy"}},
    "gate": {"metric": "accuracy"},
}


def log(client: StackClient, hour: datetime, **rows: int) -> None:
    """Profile predictions of an hour, as they are once they have been logged."""
    configuration = parse_configuration(DOCUMENT)
    found = {
        version.replace("_", "-"): profile_rows(
            [{**row, "outcome_due_at": format_time(hour + DAY)} for row in binary_rows(count, hour.hour)],
            configuration.features,
            configuration.task,
            sample_capacity=100,
        )
        for version, count in rows.items()
    }
    key = hour_key(MODEL, hour.date(), f"{hour.hour:02d}")
    client.lake.write_bytes(key, encode_hour(HourProfiles(found)), "application/octet-stream")


def label(client: StackClient, version: str, count: int) -> None:
    rows = records(version, drawn(count, 0.8), STARTED, hours=10)
    client.lake.write_lines(f"{day_prefix(LABELS, MODEL, (STARTED + DAY).date())}{version}.jsonl.gz", rows)


def test_canary_that_answers_too_many_is_stopped_and_both_versions_are_monitored(
    client: StackClient, announcements: Any
) -> None:
    client.call("PUT", f"models/{MODEL}", key="operator", json=DOCUMENT)
    log(client, STARTED - timedelta(hours=5), ours_1=300, ours_2=250)
    client.run_schedule("EvaluateRollouts", STARTED - timedelta(hours=2), MODEL)
    made = {"version": "ours-2", "expected": {"accuracy": 0.8}}
    client.call("POST", f"models/{MODEL}/versions", key="operator", json=made)
    asked = {"reason": "try it", "strategy": "canary", "occurred_at": format_time(STARTED)}
    started = client.call("POST", f"models/{MODEL}/versions/ours-2/promote", key="operator", json=asked)
    assert (started["change"], started["to"], started["challenger"]) == ("canary_started", "ours-1", "ours-2")
    log(client, STARTED + timedelta(hours=3), ours_1=300, ours_2=300)
    label(client, "ours-1", 600)
    label(client, "ours-2", 300)

    (found,) = client.run_schedule("EvaluateRollouts", NOW, MODEL)["evaluations"]
    client.run_schedule("Monitor", NOW, MODEL)

    assert (found["verdict"], found["sample_ratio"]["asked"]) == ("sample_ratio_mismatch", 0.1)
    listed = client.call("GET", "models", key="operator", params={"limit": 100})["models"]
    (entry,) = (one for one in listed if one["model"] == MODEL)
    assert "sample_ratio_mismatch" in entry["attention"]
    names = {"RolloutStarted", "SampleRatioMismatch"}
    for event in eventually(lambda: got if len(got := announcements(MODEL)) >= len(names) else []):
        require_promised(event["detail-type"], event["detail"])
        names.discard(event["detail-type"])
    assert names == set()
    status = client.call("GET", f"models/{MODEL}", key="operator")
    assert status["checks"]["estimated_performance"]["summary"]["fitted_on"] == 600
    (beside,) = status["logged_versions"]
    assert (beside["version"], beside["checks"]["drift"]["summary"]["baseline"]["rows"]) == ("ours-2", 250)
    query = {"version": "ours-2", "kind": "performance"}
    (check,) = client.call("GET", f"models/{MODEL}/checks", key="operator", params=query)["checks"]
    assert (check["champion"], check["verdict"]) == ("ours-1", "ok")
