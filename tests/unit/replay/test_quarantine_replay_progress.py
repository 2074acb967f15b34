"""Replays of a quarantine: requests, repetitions, crashes, time."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from hindsight.config.store import Retirement
from hindsight.core.errors import InvalidInput, NotFound, NotResumable
from hindsight.core.jobs import Job, JobStatus, parse_message
from hindsight.labels.history import label_at
from hindsight.quarantine.replay_request import replay_job
from hindsight.validation.timestamps import ClientTimestamps
from tests.unit.labels.builders import (
    MODEL,
    RETENTION,
    at,
    event,
    key,
    prediction,
)
from tests.unit.replay.replaying import ASKED_AT, Bench, Crash, outcome, thumb


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.store.save(prediction(), RETENTION)
    return bench


def test_a_snapshot_as_of_an_earlier_moment_does_not_change(bench: Bench) -> None:
    bench.feed(thumb(occurred_at="2026-03-01T12:30:00Z"))
    bench.mend()
    before = label_at(bench.store.load([key()])[0].labels, at(150))

    bench.replay()

    assert label_at(bench.store.load([key()])[0].labels, at(150)) == before


def test_the_client_s_own_retry_is_the_same_event(bench: Bench) -> None:
    bench.feed(thumb())
    bench.mend()
    bench.replay()

    bench.feed(thumb(), hours=210)

    assert len(bench.store.load([key()])[0].feedback) == 1
    assert bench.quarantined() == []


def test_a_second_replay_finds_nothing_more_to_do(bench: Bench) -> None:
    bench.feed(thumb("f-1"), thumb("f-2", value="sideways"))
    bench.mend()
    bench.replay()
    labels, kept = bench.labels("p-1"), bench.quarantined()

    counts = bench.replay("request-2")

    assert counts == {"replayed": 0, "joined": 0, "kept": {"invalid": 1}}
    assert (bench.labels("p-1"), bench.quarantined()) == (labels, kept)


def test_the_same_request_is_one_replay(bench: Bench) -> None:
    assert bench.ask() == bench.ask()
    assert bench.ask().job_id != bench.ask("request-2").job_id


def test_only_the_codes_and_days_asked_for_are_looked_at(bench: Bench) -> None:
    for day in range(5):
        bench.feed(thumb(f"f-{day}"), hours=24 * day)
    bench.joiner.join(
        [event("demand", value, feedback_id="f", received=value, digest=str(value)) for value in (24, 48)]
    )
    bench.mend()

    some = {"codes": ["invalid"], "from": "2026-03-02", "to": "2026-03-04"}

    assert bench.replay(**some) == {"replayed": 3, "joined": 0, "kept": {}}
    assert bench.replay("request-2", codes=["conflict"])["kept"] == {"conflict": 1}
    assert bench.replay("request-3")["replayed"] == 2


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": "x", "codes": []}, "codes"),
        ({"reason": "x", "codes": ["strange"]}, "codes[0]"),
        ({"reason": "x", "from": "2026-02-30"}, "from"),
        ({"reason": "x", "to": "yesterday"}, "to"),
        ({"reason": "x", "from": "2026-03-02", "to": "2026-03-01"}, "from"),
        ({"reason": "x", "colour": "red"}, "colour"),
        ([], ""),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_by_its_path(body: object, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        replay_job(MODEL, body, now=ASKED_AT, request_id="r", actor="key:operator", trust=ClientTimestamps.BOUNDED)

    assert refused.value.faults[0].path == path


def test_an_unknown_model_without_rows_has_nothing_to_replay(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.ask(model="unknown")
    with pytest.raises(NotFound):
        bench.replays.run(MODEL, "replay-20260301T000000Z-000000000000", lambda: True)


def loaded() -> Iterator[Bench]:
    """Make benches with three days of rejects, of which two in three can be read once the rule is corrected."""
    while True:
        bench = Bench()
        for name in ("p-1", "p-2"):
            bench.store.save(prediction(name), RETENTION)
        for day in range(3):
            bench.feed(
                thumb(f"f-{day}-1"),
                thumb(f"f-{day}-2", "p-2", value="down"),
                thumb(f"f-{day}-3", value="sideways"),
                hours=24 * day + 1,
            )
        bench.mend()
        bench.points.steps = 0
        yield bench


def test_crash_at_any_point_loses_and_doubles_nothing() -> None:
    benches = loaded()
    whole = next(benches)
    assert whole.replay() == {"replayed": 6, "joined": 0, "kept": {"invalid": 3}}
    steps, expected = whole.points.steps, outcome(whole)
    assert steps > 15

    for crash in range(steps):
        bench = next(benches)
        bench.points.left = crash
        job = bench.ask()
        with pytest.raises(Crash):
            bench.run(job)
        bench.points.left = None
        bench.join()

        bench.replay()

        assert outcome(bench) == expected, f"crashed at step {crash}"


def test_out_of_time_it_goes_on_where_it_stopped() -> None:
    bench, whole = next(loaded()), next(loaded())
    whole.replay()
    job = bench.ask()

    runs = 0
    while True:
        allowed = iter([True])
        job = bench.run(job, lambda allowed=allowed: next(allowed, False)) or job
        runs += 1
        if job.is_over:
            break
    bench.join()

    assert runs >= 3
    assert outcome(bench) == outcome(whole)


def test_of_two_workers_on_one_replay_the_slower_one_stops(bench: Bench) -> None:
    bench.feed(thumb())
    bench.mend()
    job = bench.ask()
    other: list[Job | None] = []

    def meanwhile() -> bool:
        if not other:
            other.append(None)
            other[0] = bench.run(job)
        return True

    assert bench.run(job, meanwhile) is None

    bench.join()
    assert other[0] is not None
    assert other[0].counts["replayed"] == 1
    assert bench.labels("p-1")[-1] == (1, ASKED_AT)


def test_times_are_those_of_the_request_or_in_a_simulation_of_its_body() -> None:
    body = {"reason": "x", "occurred_at": "2011-05-01T00:00:00Z"}
    asked = [
        replay_job(MODEL, body, now=ASKED_AT, request_id="r", actor="key:operator", trust=trust)
        for trust in (ClientTimestamps.BOUNDED, ClientTimestamps.TRUSTED)
    ]

    assert asked[0].at == ASKED_AT
    assert ASKED_AT - asked[1].at > timedelta(days=5000)


def leave(bench: Bench, job_id: str | None = None) -> None:
    bench.configurations.retire(MODEL, Retirement(reason="replaced", actor="key:operator", at=at(190), job_id=job_id))


@pytest.mark.parametrize(
    ("job_id", "failure"),
    [(None, "the model was retired; "), ("erasure-1", "the model is being erased, ")],
)
def test_replay_of_a_model_that_left_meanwhile_fails_with_that_reason_and_moves_nothing(
    bench: Bench, job_id: str | None, failure: str
) -> None:
    bench.feed(thumb())
    bench.mend()
    job, before = bench.ask(), bench.quarantined()
    leave(bench, job_id)
    for _ in range(2):  # its message may come again
        ended = bench.run(job)
        assert ended is not None
        assert (ended.status, ended.finished_at) == (JobStatus.FAILED, ASKED_AT)
        assert (ended.failure or "").startswith(failure)
    assert (bench.quarantined(), bench.replayed()) == (before, [])


def test_message_of_a_replay_that_was_erased_with_its_model_needs_nothing(bench: Bench) -> None:
    bench.feed(thumb())
    job = bench.ask()
    leave(bench, "erasure-1")
    bench.jobs.jobs.clear()
    assert bench.run(job) is None
    assert bench.replays.run(MODEL, job.job_id, lambda: True).is_to_go_on is False


def test_replay_that_never_was_is_not_found_of_a_retired_model_either(bench: Bench) -> None:
    leave(bench)
    with pytest.raises(NotFound):
        bench.replays.run(MODEL, "replay-unknown", lambda: True)


def test_replay_keeps_to_its_time_among_rows_it_has_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(3):
        bench.feed(thumb(f"f-{day}", value="sideways"), hours=24 * day)
    job = bench.ask()
    keys = list(bench.lake.keys("quarantine/"))
    for name in keys:
        bench.lake.write_lines(name, [{**row, "job_id": job.job_id} for row in list(bench.lake.read_lines(name))])
    opened, read = list[str](), bench.lake.read_lines
    monkeypatch.setattr(bench.lake, "read_lines", lambda key: opened.append(key) or read(key))

    for number, expected in enumerate(keys):
        allowed = iter([True])
        found = bench.run(job, lambda allowed=allowed: next(allowed, False))
        assert found is not None
        assert (len(opened), found.is_over) == (number + 1, number == 2)
        assert found.is_over or found.checkpoint == {"after": expected}


def test_replay_whose_message_was_lost_is_resumed_until_it_is_over(bench: Bench) -> None:
    job = bench.ask()
    bench.messages.clear()

    bench.requests.resume(MODEL, job.job_id)

    assert [parse_message(body) for body in bench.messages] == [(MODEL, job.job_id)]
    bench.run(job)
    with pytest.raises(NotResumable, match="completed"):
        bench.requests.resume(MODEL, job.job_id)
