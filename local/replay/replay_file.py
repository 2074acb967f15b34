"""One replay from file to report."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hindsight.config.labels import Labels
from hindsight.config.model import ModelConfiguration
from hindsight.config.types import format_duration
from hindsight.training.models.artifact import load_artifact
from hindsight.training.models.scoring import LoadedVersion
from local.client import StackClient
from local.replay.outlook import DAY, foresee
from local.replay.replay import Replay, ReplayResult
from local.replay.report import Story, fetch_evidence, write_report
from local.replay.scores import score, truth_of
from local.replay.spec import InvalidSpec, ReplaySpec, load_spec
from local.replay.stream import Stream, bootstrap_end, read_stream
from local.replay.summary import (
    fetch_decisions,
    fetch_feedback,
    print_feedback,
    print_summary,
    summarise,
    write_summary,
)

SHOWN_LINES = 5
# Between two lines of progress where no terminal redraws a bar.
PROGRESS_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ReplayFiles:
    """The files of a replay, the name of its model if it is another, and whether a bad line ends it."""

    rows: Path
    spec: Path
    model: str | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class PreparedReplay:
    """All that a replay reads, before it touches a stack."""

    spec: ReplaySpec
    configuration: ModelConfiguration
    stream: Stream


def prepare_replay(files: ReplayFiles) -> PreparedReplay:
    """Read the specification, the configuration and every row.

    Raises InvalidSpec for a file that cannot be used, such as one most of whose lines make no row, or a bootstrap that
    is not a part of it; with ``strict`` also for any line that makes no row.
    """
    spec, configuration = load_spec(files.spec, files.model)
    stream = read_stream(files.rows, spec, configuration)
    if stream.bad and (files.strict or len(stream.bad) > len(stream.rows)):
        of_all = f"{len(stream.bad)} of {len(stream.bad) + len(stream.rows)}"
        raise InvalidSpec("\n".join([f"{files.rows}: {of_all} lines make no row", *_first_lines(stream)]))
    bootstrap_end(spec, stream.rows)
    return PreparedReplay(spec, configuration, stream)


def run_replay(
    client: StackClient, prepared: PreparedReplay, folder: Path, console: Console, story: Story | None = None
) -> dict[str, Any]:
    """Replay a file, score it, write summary and report into a folder; return the summary.

    Raises CallFailed if the stack refuses something.
    """
    spec, configuration, stream = prepared.spec, prepared.configuration, prepared.stream
    _report_left_out(stream, configuration.labels, console)
    report_late_outcomes(stream, configuration.labels, console)
    for line in foresee(spec, configuration, stream.rows):
        console.print(line, markup=False)
    result = _run(client, prepared, console)
    decisions = fetch_decisions(client, configuration.model)
    truths = {row.prediction_id: truth_of(row, configuration, spec.outcome.event) for row in result.rows}
    scores = score(result, truths, _first_version(client, configuration.model), configuration)
    feedback = fetch_feedback(client, configuration.model, _span_of(result))
    left_out = {"left_out": len(stream.bad), "feedback": feedback.to_json()}
    summary = {**summarise(result, truths, scores, decisions), **left_out}
    write_summary(summary, folder / "summary.json")
    evidence = fetch_evidence(client, configuration.model, decisions)
    report = write_report(folder, story or _plain_story(configuration, result), summary, evidence, configuration)
    print_summary(summary, console)
    print_feedback(feedback, console)
    console.print(f"report: {report}")
    return summary


def _span_of(result: ReplayResult) -> tuple[datetime, datetime]:
    """Compute when the first and the last outcome of a replay can have been received."""
    moments = [row.occurred_at for row in result.rows]
    moments += [row.known_at for row in result.rows if row.outcome is not None]
    return min(moments), max(moments)


def _report_left_out(stream: Stream, labels: Labels, console: Console) -> None:
    if stream.bad:
        console.print(f"{len(stream.bad)} of {len(stream.bad) + len(stream.rows)} lines make no row and are left out:")
        console.print("\n".join(_first_lines(stream)), markup=False)
    if stream.without_known_at:
        instead = "labels.default labels their predictions" if labels.default else "their predictions get no label"
        console.print(
            f"{stream.without_known_at} outcomes have no time when they were known: they are never heard, and {instead}"
        )


def report_late_outcomes(stream: Stream, labels: Labels, console: Console) -> None:
    """Print how many outcomes come after the windows of all rules, if any do."""
    outcomes = [row for row in stream.rows if row.outcome is not None]
    late = [delay for row in outcomes if not labels.reaches(delay := row.known_at - row.occurred_at)]
    if late:
        console.print(
            f"{len(late)} of {len(outcomes)} outcomes come later than {format_duration(labels.longest_window)} after "
            f"their prediction, when the windows of all rules are over: they make no label; a window of "
            f"P{ceil(max(late) / DAY)}D would take them"
        )


def _first_lines(stream: Stream) -> list[str]:
    more = len(stream.bad) - SHOWN_LINES
    return [*(f"  {bad}" for bad in stream.bad[:SHOWN_LINES]), *([f"  and {more} more"] if more > 0 else [])]


def _run(client: StackClient, prepared: PreparedReplay, console: Console) -> ReplayResult:
    rows = prepared.stream.rows

    def run(progress: Callable[[int, datetime], None]) -> ReplayResult:
        return Replay(client, prepared.spec, prepared.configuration, rows, console.print).run(progress)

    if not console.is_terminal:
        return run(_printed_progress(len(rows), console))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("starting", total=len(rows))
        return run(lambda done, now: bar.update(task, completed=done, description=f"{now:%Y-%m-%d}"))


def _printed_progress(total: int, console: Console) -> Callable[[int, datetime], None]:
    last = -PROGRESS_SECONDS

    def progress(done: int, now: datetime) -> None:
        nonlocal last
        if done == total or time.monotonic() - last >= PROGRESS_SECONDS:
            last = time.monotonic()
            console.print(f"{now:%Y-%m-%d}  {done:,} of {total:,} rows")

    return progress


def _first_version(client: StackClient, model: str) -> LoadedVersion | None:
    """Load the version that was promoted first: what would serve today without retraining. None if none was."""
    history = client.call("GET", f"models/{model}/deployments?limit=1000", key="operator")["deployments"]
    if not history:
        return None
    versions = client.call("GET", f"models/{model}/versions?limit=1000", key="operator")["versions"]
    first = next(version for version in versions if version["version"] == history[-1]["to"])
    return load_artifact(client.lake, first["artifact_key"], first["artifact_digest"])


def _plain_story(configuration: ModelConfiguration, result: ReplayResult) -> Story:
    first, last = result.replayed[0].occurred_at, result.replayed[-1].occurred_at
    count = len(result.replayed)
    return Story(
        title=f"{configuration.model}, replayed", subtitle=f"{count:,} predictions from {first:%F} to {last:%F}"
    )
