"""A replay takes what can be read by now, whatever moment it is stopped at, and loses and doubles nothing."""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from hindsight.core.errors import InvalidInput, NotFound
from hindsight.core.jobs import Job
from hindsight.ingestion.feedback_capture import FeedbackCapture, feedback_line
from hindsight.ingestion.prediction_log import PredictionLog
from hindsight.labels.history import label_at
from hindsight.labels.joining.feedback_files import FeedbackFiles
from hindsight.labels.joining.join import LabelJoiner
from hindsight.labels.plan import MATCH_TIMEOUT
from hindsight.lake.object_store import Lake
from hindsight.quarantine.rejects import RejectCode
from hindsight.quarantine.replay_request import parse_message, replay_job, shown_replay
from hindsight.quarantine.store import UNREADABLE, Quarantine, QuarantinedRow, RowKind
from hindsight.replay.quarantine_replay import QuarantineReplay, ReplayRequests
from hindsight.replay.reread import Rereader
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.jobs.job_store import InMemoryJobs
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.predictions.allowances import no_limits
from hindsight.testing.predictions.label_store import InMemoryLabels
from hindsight.testing.predictions.prediction_store import InMemoryPredictions, RecordedRejoins
from hindsight.validation.timestamps import ClientTimestamps
from tests.unit.labels.builders import (
    DEMAND,
    MODEL,
    RETENTION,
    THUMB,
    at,
    configuration,
    event,
    key,
    prediction,
)

MISDECLARED = {**THUMB, "map": {"good": 1, "bad": 0}}
ASKED_AT = at(200)


class Crash(Exception):
    """The process ends here."""


class CrashPoints:
    """Lets so many steps that change something happen, then ends the process."""

    def __init__(self) -> None:
        self.steps = 0
        self.left: int | None = None

    def pass_(self) -> None:
        if self.left == 0:
            raise Crash
        self.steps += 1
        if self.left is not None:
            self.left -= 1


class CrashingLake(InMemoryLake):
    def __init__(self, points: CrashPoints) -> None:
        super().__init__()
        self.points = points

    def write_lines(self, key: str, rows: Any) -> None:
        self.points.pass_()
        super().write_lines(key, rows)

    def delete(self, key: str) -> None:
        self.points.pass_()
        super().delete(key)


class CrashingJobs(InMemoryJobs):
    def __init__(self, points: CrashPoints) -> None:
        super().__init__()
        self.points = points

    def save(self, job: Job) -> bool:
        self.points.pass_()
        return super().save(job)


class LakeStream:
    """Delivers what is appended as files of raw feedback, a file a call, as Firehose does."""

    def __init__(self, lake: Lake, points: CrashPoints) -> None:
        self._lake = lake
        self._points = points
        self.files: list[str] = []

    def append(self, lines: Sequence[bytes]) -> None:
        self._points.pass_()
        self.files.append(f"feedback/date=2026-03-09/{len(self.files):04d}")
        self._lake.write_bytes(self.files[-1], b"".join(lines), "application/x-ndjson")


class Bench:
    """Capture, join and replay on fakes."""

    def __init__(self) -> None:
        self.points = CrashPoints()
        self.lake = CrashingLake(self.points)
        self.jobs = CrashingJobs(self.points)
        self.stream = LakeStream(self.lake, self.points)
        self.joined = 0
        self.store = InMemoryLabels()
        self.predictions = InMemoryPredictions()
        self.quarantine = Quarantine(self.lake)
        self.configurations = InMemoryConfigurations(configuration(DEMAND, MISDECLARED))
        self.joiner = LabelJoiner(self.store, self.quarantine, self.configurations, no_limits())
        self.files = FeedbackFiles(self.lake, self.joiner, self.quarantine, self.configurations)
        self.capture = FeedbackCapture(self.stream, ClientTimestamps.BOUNDED)
        log = PredictionLog(self.predictions, RecordedRejoins())
        rereader = Rereader(self.stream, log, self.store, self.configurations, ClientTimestamps.BOUNDED)
        self.replays = QuarantineReplay(self.lake, self.quarantine, self.jobs, rereader)
        self.messages: list[str] = []
        self.requests = ReplayRequests(self.jobs, self.configurations, self.lake, self, ClientTimestamps.BOUNDED)

    def feed(self, *items: dict[str, Any], hours: float = 1) -> None:
        current = self.configurations.current(MODEL).configuration
        with contextlib.suppress(InvalidInput):
            self.capture.capture(current, items, at(hours))
        self.join()

    def join(self) -> None:
        """Join the files that have come since."""
        while self.joined < len(self.stream.files):
            self.files.join(self.stream.files[self.joined])
            self.joined += 1

    def mend(self) -> None:
        self.configurations.put(configuration(DEMAND, THUMB), at(100))

    def ask(self, request_id: str = "request-1", model: str = MODEL, **body: Any) -> Job:
        asked = {"reason": "mended", **body}
        job = self.requests.take(model, asked, now=ASKED_AT, request_id=request_id)
        assert parse_message(self.messages[-1]) == (job.model, job.job_id)
        return job

    def run(self, job: Job, has_time: Callable[[], bool] = lambda: True) -> Job | None:
        return self.replays.run(job.model, job.job_id, has_time).job

    def send(self, body: str) -> None:
        """Take a message of the queue's."""
        self.messages.append(body)

    def replay(self, request_id: str = "request-1", **body: Any) -> dict[str, Any]:
        job = self.run(self.ask(request_id, **body))
        assert job is not None
        assert job.is_done
        self.join()
        counts: dict[str, Any] = shown_replay(job)["counts"]
        return counts

    def quarantined(self) -> list[dict[str, Any]]:
        return [row for name in self.lake.keys("quarantine/") for row in self.lake.read_lines(name)]

    def replayed(self) -> list[dict[str, Any]]:
        return [row for name in self.lake.keys("replayed/") for row in self.lake.read_lines(name)]

    def labels(self, *names: str) -> list[tuple[object, Any]]:
        found = self.store.load([key(name) for name in names])
        return [(record.label.value, record.known_at) for collection in found for record in collection.labels]


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.store.save(prediction(), RETENTION)
    return bench


def thumb(feedback_id: str = "f-1", prediction_id: str = "p-1", value: Any = "up", **more: Any) -> dict[str, Any]:
    return {"feedback_id": feedback_id, "prediction_id": prediction_id, "name": "thumb", "value": value, **more}


def test_what_a_misdeclared_rule_rejected_becomes_a_label_once_it_is_mended(bench: Bench) -> None:
    bench.feed(thumb(source="web"))
    assert [row["reason"] for row in bench.quarantined()] == ["is none of 'bad', 'good'"]
    bench.mend()

    counts = bench.replay()

    assert counts == {"replayed": 1, "settled": 0, "kept": {}}
    # It occurred when it was sent, but nobody knew of it before the replay.
    assert bench.labels("p-1")[-1] == (1, ASKED_AT)
    (kept,) = bench.store.load([key()])[0].feedback
    assert (kept.occurred_at, kept.received_at, kept.source) == (at(1), ASKED_AT, "web")
    assert bench.quarantined() == []
    assert [(row["outcome"], json.loads(row["text"])["feedback_id"]) for row in bench.replayed()] == [
        ("replayed", "f-1")
    ]


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


def test_what_still_cannot_be_read_stays_with_its_newest_reason(bench: Bench) -> None:
    bench.feed(thumb("f-1"), thumb("f-2", value="sideways"))
    bench.mend()

    counts = bench.replay()

    assert counts == {"replayed": 1, "settled": 0, "kept": {"invalid": 1}}
    assert [(row["code"], row["reason"], row["path"]) for row in bench.quarantined()] == [
        ("invalid", "is none of 'down', 'up'", "value")
    ]


def test_a_second_replay_finds_nothing_more_to_do(bench: Bench) -> None:
    bench.feed(thumb("f-1"), thumb("f-2", value="sideways"))
    bench.mend()
    bench.replay()
    labels, kept = bench.labels("p-1"), bench.quarantined()

    counts = bench.replay("request-2")

    assert counts == {"replayed": 0, "settled": 0, "kept": {"invalid": 1}}
    assert (bench.labels("p-1"), bench.quarantined()) == (labels, kept)


def test_the_same_request_is_one_replay(bench: Bench) -> None:
    assert bench.ask() == bench.ask()
    assert bench.ask().job_id != bench.ask("request-2").job_id


def test_feedback_on_a_model_that_has_come_since_is_joined(bench: Bench) -> None:
    sent = event("demand", 150, model="late")
    bench.lake.write_bytes("feedback/date=2026-03-01/x", feedback_line(sent), "application/x-ndjson")
    bench.files.join("feedback/date=2026-03-01/x")
    assert bench.replay(model="late") == {"replayed": 0, "settled": 0, "kept": {"unknown_model": 1}}
    bench.configurations.put(configuration(DEMAND, model="late"), at(100))
    bench.store.save(prediction(model="late"), RETENTION)

    counts = bench.replay("request-2", model="late")

    assert counts["replayed"] == 1
    (collection,) = bench.store.load([key(model="late")])
    assert [(found.body_digest, found.received_at) for found in collection.feedback] == [(sent.body_digest, ASKED_AT)]


def test_a_conflict_stays_for_the_first_received_does(bench: Bench) -> None:
    first = event("demand", 150, feedback_id="f", received=2, digest="one")
    second = event("demand", 50, feedback_id="f", received=3, digest="two")
    bench.joiner.join([first, second])
    kept = bench.quarantined()

    counts = bench.replay()

    assert counts == {"replayed": 0, "settled": 0, "kept": {"conflict": 1}}
    assert (bench.labels("p-1"), bench.quarantined()) == ([(1, at(2))], kept)


def test_unmatched_feedback_stays_until_its_prediction_has_come(bench: Bench) -> None:
    bench.joiner.join([event("demand", 150, prediction_id="p-2")])
    bench.joiner.close_windows([key("p-2")], at(1) + MATCH_TIMEOUT)
    assert bench.replay() == {"replayed": 0, "settled": 0, "kept": {"unmatched": 1}}
    bench.store.save(prediction("p-2", received_at=at(190)), RETENTION)
    bench.joiner.rejoin([key("p-2")])
    labels = bench.labels("p-2")

    counts = bench.replay("request-2")

    assert counts == {"replayed": 0, "settled": 1, "kept": {}}
    assert bench.quarantined() == []
    assert bench.labels("p-2") == labels == [(1, at(190))]
    assert [row["outcome"] for row in bench.replayed()] == ["settled"]


def test_unmatched_feedback_that_the_table_has_forgotten_is_replayed(bench: Bench) -> None:
    bench.joiner.join([event("demand", 150, prediction_id="p-2")])
    bench.joiner.close_windows([key("p-2")], at(1) + MATCH_TIMEOUT)
    del bench.store.collections[key("p-2")]
    bench.store.save(prediction("p-2"), RETENTION)

    assert bench.replay()["replayed"] == 1

    assert bench.labels("p-2")[-1] == (1, ASKED_AT)


def test_an_item_that_was_cut_cannot_be_replayed(bench: Bench) -> None:
    bench.feed(thumb(value="x" * 10_000))

    assert bench.replay()["kept"] == {"invalid": 1}
    assert bench.quarantined()[0]["truncated"] is True


def test_lines_without_a_readable_model_are_replayed_under_their_own_name(bench: Bench) -> None:
    bench.lake.write_bytes("feedback/date=2026-03-01/x", b"{not json}\n", "application/x-ndjson")
    bench.files.join("feedback/date=2026-03-01/x")

    assert bench.replay(model=UNREADABLE)["kept"] == {"malformed": 1}


def test_a_line_that_could_not_be_read_then_but_can_now_is_joined(bench: Bench) -> None:
    line = feedback_line(event("demand", 150)).decode().strip()
    row = QuarantinedRow(
        code=RejectCode.MALFORMED,
        reason="an older reader could not",
        day=at(0).date(),
        model=MODEL,
        file="feedback/date=2026-03-01/x",
        line=1,
        text=line,
    )
    bench.quarantine.put([row])

    assert bench.replay()["replayed"] == 1
    assert bench.labels("p-1")[-1] == (1, ASKED_AT)


def prediction_row(number: int, received: float = 1, **item: Any) -> QuarantinedRow:
    body = {"features": {"hour": "7"}, "score": 0.5, "model_version": "v1", **item}
    return QuarantinedRow(
        code=RejectCode.INVALID,
        reason="score must be a number",
        day=at(received).date(),
        model=MODEL,
        kind=RowKind.PREDICTION,
        received_at=at(received),
        file="imports/model=bike-demand/predictions/a.jsonl",
        line=number,
        text=json.dumps(body),
    )


def test_predictions_are_replayed_as_known_from_now_on(bench: Bench) -> None:
    bench.quarantine.put([prediction_row(1), prediction_row(2), prediction_row(3, score=7), prediction_row(4, x=1)])

    counts = bench.replay()

    assert counts == {"replayed": 2, "settled": 0, "kept": {"invalid": 2}}
    kept = list(bench.predictions.kept.values())
    assert {(found.occurred_at, found.received_at) for found in kept} == {(at(1), ASKED_AT)}
    assert len({found.prediction_id for found in kept}) == 2
    assert sorted(row["path"] for row in bench.quarantined()) == ["score", "x"]


def test_a_conflicting_prediction_stays_as_a_conflict(bench: Bench) -> None:
    bench.quarantine.put([prediction_row(1, prediction_id="p"), prediction_row(2, prediction_id="p", score=0.9)])

    assert bench.replay() == {"replayed": 1, "settled": 0, "kept": {"conflict": 1}}
    assert [(row["code"], row["kind"]) for row in bench.quarantined()] == [("conflict", "prediction")]


def test_only_the_codes_and_days_asked_for_are_looked_at(bench: Bench) -> None:
    for day in range(5):
        bench.feed(thumb(f"f-{day}"), hours=24 * day)
    bench.joiner.join(
        [event("demand", value, feedback_id="f", received=value, digest=str(value)) for value in (24, 48)]
    )
    bench.mend()

    some = {"codes": ["invalid"], "from": "2026-03-02", "to": "2026-03-04"}

    assert bench.replay(**some) == {"replayed": 3, "settled": 0, "kept": {}}
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
        replay_job(MODEL, body, now=ASKED_AT, request_id="r", trust=ClientTimestamps.BOUNDED)

    assert refused.value.faults[0].path == path


def test_an_unknown_model_without_rows_has_nothing_to_replay(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.ask(model="nobody")
    with pytest.raises(NotFound):
        bench.replays.run(MODEL, "20260301T000000Z-000000000000", lambda: True)


def loaded() -> Iterator[Bench]:
    """Yield benches with three days of rejects, of which two in three can be read once the rule is mended."""
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


def outcome(bench: Bench) -> tuple[Any, ...]:
    reasons = sorted((row["text"], row["reason"]) for row in bench.quarantined())
    replayed = sorted(row["text"] for row in bench.replayed())
    return bench.labels("p-1", "p-2"), reasons, replayed, shown_replay(bench.ask())["counts"]


def test_wherever_it_crashes_nothing_is_lost_doubled_or_counted_twice() -> None:
    benches = loaded()
    whole = next(benches)
    assert whole.replay() == {"replayed": 6, "settled": 0, "kept": {"invalid": 3}}
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
        if job.is_done:
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


def test_times_are_those_of_the_request_in_a_simulation_what_it_says() -> None:
    body = {"reason": "x", "occurred_at": "2011-05-01T00:00:00Z"}
    asked = [
        replay_job(MODEL, body, now=ASKED_AT, request_id="r", trust=trust)
        for trust in (ClientTimestamps.BOUNDED, ClientTimestamps.TRUSTED)
    ]

    assert asked[0].at == ASKED_AT
    assert ASKED_AT - asked[1].at > timedelta(days=5000)
