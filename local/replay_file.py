"""One replay from file to report."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hindsight.config.model import ModelConfiguration
from hindsight.training.models.artifact import load_artifact
from hindsight.training.models.scoring import LoadedVersion
from local.client import StackClient
from local.replay import Replay, ReplayResult
from local.report import Story, fetch_evidence, write_report
from local.scores import score, truth_of
from local.spec import ReplaySpec, load_spec
from local.stream import read_rows
from local.summary import fetch_decisions, print_summary, summarise, write_summary


@dataclass(frozen=True, slots=True)
class ReplayFiles:
    """The files of a replay: what it reads, and the folder of its summary and report."""

    rows: Path
    spec: Path
    folder: Path


def replay_file(
    client: StackClient, files: ReplayFiles, console: Console, story: Story | None = None
) -> dict[str, Any]:
    """Replay a file, score it, write summary and report into a folder; return the summary.

    Raises InvalidSpec or InvalidInput for a file, specification or configuration that cannot be used, CallFailed if
    the stack refuses something.
    """
    spec, configuration = load_spec(files.spec)
    rows = read_rows(files.rows, spec, configuration)
    result = _run(Replay(client, spec, configuration, rows), len(rows), console)
    decisions = fetch_decisions(client, configuration.model)
    summary = _summarise(client, spec, configuration, result, decisions)
    write_summary(summary, files.folder / "summary.json")
    evidence = fetch_evidence(client, configuration.model, decisions)
    report = write_report(files.folder, story or _plain_story(configuration, result), summary, evidence, configuration)
    print_summary(summary, configuration.task, console)
    console.print(f"report: {report}")
    return summary


def _run(replay: Replay, total: int, console: Console) -> ReplayResult:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("starting", total=total)

        def progress(done: int, now: datetime) -> None:
            bar.update(task, completed=done, description=f"{now:%Y-%m-%d}")

        return replay.run(progress)


def _summarise(
    client: StackClient,
    spec: ReplaySpec,
    configuration: ModelConfiguration,
    result: ReplayResult,
    decisions: list[dict[str, Any]],
) -> dict[str, Any]:
    truths = {row.prediction_id: truth_of(row, configuration, spec.outcome.event) for row in result.rows}
    scores = score(result, truths, _first_version(client, configuration.model), configuration.task)
    return summarise(result, truths, scores, decisions, configuration.task)


def _first_version(client: StackClient, model: str) -> LoadedVersion:
    """Find the version that was promoted first: what would serve today without retraining."""
    history = client.call("GET", f"models/{model}/deployments?limit=1000", key="operator")["deployments"]
    versions = client.call("GET", f"models/{model}/versions?limit=1000", key="operator")["versions"]
    first = next(version for version in versions if version["version"] == history[-1]["to"])
    return load_artifact(client.lake, first["artifact_key"], first["artifact_digest"])


def _plain_story(configuration: ModelConfiguration, result: ReplayResult) -> Story:
    first, last = result.replayed[0].occurred_at, result.replayed[-1].occurred_at
    count = len(result.replayed)
    return Story(
        title=f"{configuration.model}, replayed", subtitle=f"{count:,} predictions from {first:%F} to {last:%F}"
    )
