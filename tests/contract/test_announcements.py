"""Announcements keep the promises of docs/events.md; those of the state machines are checked by the stack tests."""

import ast
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from hindsight.core.announcements import Announcement
from hindsight.core.jobs import JobStatus
from hindsight.labels.relabelling.job import RelabelJob
from hindsight.monitoring.checks.verdict_changes import announcement_of
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.monitoring.results.findings import FINDINGS
from hindsight.privacy.subject import subject_digest
from hindsight.registry.pointer import DeploymentRecord
from hindsight.reporting.jobs import relabelling_report
from hindsight.rollout.announcement import ENDS_OF_ROLLOUTS, OTHER_CHANGES
from hindsight.triggers.runs.recovery import ANNOUNCED_AS, NOT_ANNOUNCED
from hindsight.triggers.signals.check import DriftSignal
from hindsight.triggers.signals.event import ManualSignal
from hindsight.triggers.state import OpenRun, RunOutcome
from tests.event_schemas import announced, require_promised, schema_of, schemas

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FUNCTIONS = Path(__file__).parents[2] / "functions"
SHARED = FUNCTIONS.parent / "shared"
CAMEL_CASE = r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b"
LINKS = {"report_key": "checks/d.json", "page_key": "checks/d.html"}
CHECK = Check(
    model="bike", kind=CheckKind.DRIFT, at=NOW, model_version="v1", verdict=Verdict.DRIFT, reason="r", summary={"n": 1}
)


def detail(name: str, data: dict[str, Any]) -> dict[str, Any]:
    return Announcement(name=name, correlation_id="c", at=NOW, data=data).detail()


def started() -> dict[str, Any]:
    run = OpenRun(
        decision_id="20260301T120000Z-1",
        fencing_token=1,
        started_at=NOW,
        lease_expires_at=NOW + timedelta(days=1),
        reason="drift: 7 of 20 features drift",
        signals={
            "drift": DriftSignal.status("7 of 20 features drift", {"features": 20, **LINKS}, since=NOW),
            "manual": ManualSignal.raised(NOW, "new season", {"actor": "key:operator"}),
        },
    )
    return run.execution_input("bike")


def named_in_machines() -> set[str]:
    """List the detail types that the state machines give."""
    machines = [path.read_text(encoding="utf-8") for path in FUNCTIONS.glob("*.asl.json")]
    types = [line for text in machines for line in re.findall(r'"DetailType": "(.*)"', text)]
    return {name for line in types for name in re.findall(CAMEL_CASE, line)}


def named_in_code() -> set[str]:
    """List the names in the modules that make announcements."""
    names = set[str]()
    for path in SHARED.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
        if "Announcement" in imported and "aws" not in path.parts:
            texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
            types = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}  # named by annotations
            names |= {text for text in texts if isinstance(text, str) and re.fullmatch(CAMEL_CASE, text)} - types
    return names


def test_the_page_s_schemas_are_schemas() -> None:
    assert {schema_of(name) for name in announced()} == schemas().keys() - {"envelope"}
    for schema in schemas().values():
        Draft202012Validator.check_schema(schema)


def test_every_announcement_in_the_code_is_on_the_page_and_the_other_way_round() -> None:
    found = {finding.event for finding in FINDINGS.values()}
    published = named_in_machines() | named_in_code() | found
    assert published == set(announced()) | {NOT_ANNOUNCED}, "docs/events.md: a row, and a schema of the data"
    assert {schema_of(name) for name in found} == {"check"}
    promised = schemas()["check"]["properties"]
    assert [set(promised[name]["enum"]) for name in ("kind", "verdict")] == list(map(set, zip(*FINDINGS, strict=True)))


def test_state_machine_and_recovery_announce_the_same_end_of_a_run() -> None:
    text = (FUNCTIONS / "retraining.asl.json").read_text(encoding="utf-8")
    assert set(ANNOUNCED_AS) == set(RunOutcome)
    (table,) = re.findall(r"\$lookup\((\{.*?\}), \$states.input.outcome\)", text)
    assert json.loads(table.replace("'", '"')) == {outcome.value: name for outcome, name in ANNOUNCED_AS.items()}
    assert {schema_of(name) for name in ANNOUNCED_AS.values()} == {"run_end"}
    assert f'"Error": "{NOT_ANNOUNCED}"' in text


@pytest.mark.parametrize(("kind", "verdict"), FINDINGS)
@pytest.mark.parametrize("links", [{}, {"report_key": "checks/d.json", "page_key": "checks/d.html"}])
def test_a_bad_check_is_announced_as_promised(kind: CheckKind, verdict: Verdict, links: dict[str, str]) -> None:
    check = Check(model="bike", kind=kind, at=NOW, model_version="v1", verdict=verdict, reason="r", **links)
    found = announcement_of(None, check)
    assert found is not None
    require_promised(found.name, found.detail())


def test_a_run_s_start_is_announced_as_promised_and_links_the_reports_behind_it() -> None:
    data = started()
    require_promised("RetrainingStarted", detail("RetrainingStarted", data))
    since, reason = "2026-03-01T12:00:00.000000Z", "7 of 20 features drift"
    assert data["signals"][0] == {"kind": "drift", "since": since, "reason": reason, **LINKS}


@pytest.mark.parametrize("name", [*ENDS_OF_ROLLOUTS.values(), *OTHER_CHANGES.values()])
def test_deployment_by_the_evaluation_is_announced_as_promised(name: str) -> None:
    of_rollout = next((changes for changes, published in ENDS_OF_ROLLOUTS.items() if published == name), None)
    change = (
        of_rollout[1]
        if of_rollout
        else next(change for change, published in OTHER_CHANGES.items() if published == name)
    )
    move = DeploymentRecord(
        sequence=3,
        change=change,
        from_version="v1",
        to_version="v2",
        reason="better",
        actor="rollout_evaluation",
        at=NOW,
        challenger="v2",
    )
    sent = detail(name, {"model": "bike", **move.to_plain()})
    require_promised(name, sent)
    assert (sent["data"]["change"], sent["data"]["from"], sent["data"]["to"]) == (change.value, "v1", "v2")
    bare = DeploymentRecord(
        sequence=1, change=change, to_version="v2", reason="better", actor="rollout_evaluation", at=NOW
    )
    require_promised(name, detail(name, {"model": "bike", **bare.to_plain()}))
    with pytest.raises(ValidationError):
        require_promised(name, detail(name, {"model": "bike", **bare.to_plain(), "sequence": "first"}))


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.SUPERSEDED])
def test_a_relabelling_is_announced_as_promised(status: JobStatus) -> None:
    job = RelabelJob(
        model="bike",
        job_id="relabel-1",
        reason="mended",
        rules_revision=2,
        known_at=NOW,
        started_at=NOW,
        status=status,
    )
    name = "LabelsRelabelled" if status is JobStatus.COMPLETED else "RelabellingFailed"
    sent = detail(name, {"model": job.model, **relabelling_report(job).to_plain()})
    require_promised(name, sent)
    assert (sent["data"]["job_id"], sent["data"]["status"]) == ("relabel-1", status.value)


def test_erasure_is_announced_as_promised_without_its_subject() -> None:
    versions = [{"version": "v1", "dataset_id": "d1", "serves": True}]
    subject = subject_digest("e1", "bike", "customer-17")
    sent = detail("SubjectErased", {"model": "bike", "job_id": "e1", "subject": subject, "versions": versions})
    require_promised("SubjectErased", sent)
    with pytest.raises(ValidationError):
        require_promised("SubjectErased", detail("SubjectErased", {**sent["data"], "subject": "customer-17"}))


def test_event_that_breaks_its_schema_is_rejected() -> None:
    for broken in ({"kind": "weather"}, {"at": "yesterday"}, {"report_key": 7}):
        with pytest.raises(ValidationError):
            require_promised("DriftDetected", detail("DriftDetected", {**CHECK.to_plain(), **broken}))
