"""Answer the operators' questions about a model, its quarantine and its jobs (GET /v1/models/{model}…)."""

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import models, reporting, stores
from hindsight.core.jobs import JobReport
from hindsight.core.times import format_time
from hindsight.quarantine.report import cursor_of, shown_row
from hindsight.registry.pointer import DeploymentRecord
from hindsight.registry.version import DatasetRecord
from hindsight.reporting.check_history import CheckQuery
from hindsight.reporting.configurations import shown_configuration
from hindsight.reporting.jobs import parse_kind
from hindsight.runtime.handler import http_handler
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.pages import Page, page
from hindsight.runtime.http.requests import (
    flag,
    identifier,
    model_name,
    quarantine_name,
    requested_at,
    whole_number,
)
from hindsight.triggers.decision import Decision

api = create_api()


@api.get("/models")
def model_list() -> Response[str]:
    """List the models in service by name."""
    listed, asked = models.model_list(), _page(default=50, most=100)
    found = listed.names(asked.limit + 1, asked.after)
    return answer(200, asked.of("models", found, str, listed.entry))


@api.get("/models/<model>")
def status(model: str) -> Response[str]:
    """Report a model's state."""
    return answer(200, reporting.model_reports().status(model_name(model), requested_at(api.current_event)))


@api.get("/models/<model>/predictions/<prediction_id>")
def prediction(model: str, prediction_id: str) -> Response[str]:
    """Explain one prediction."""
    return answer(200, reporting.model_reports().prediction(model_name(model), identifier(prediction_id, "prediction")))


@api.get("/models/<model>/decisions")
def decisions(model: str) -> Response[str]:
    """List trigger decisions, newest first, and what the newest scheduled evaluation decided, recorded or not."""
    reports, name, asked = reporting.model_reports(), model_name(model), _page()
    found = reports.decisions(name, asked.limit + 1, asked.after_moment)
    listed = asked.of("decisions", found, lambda one: f"{format_time(one.at)}#{one.decision_id}", Decision.to_plain)
    last = reports.last_evaluation(name)
    return answer(200, {**listed, "last_evaluation": last.to_plain() if last else None})


@api.get("/models/<model>/decisions/<decision_id>")
def decision(model: str, decision_id: str) -> Response[str]:
    """Show one trigger decision."""
    found = reporting.model_reports().decision(model_name(model), identifier(decision_id, "decision"))
    return answer(200, found.to_plain())


@api.get("/models/<model>/versions")
def versions(model: str) -> Response[str]:
    """List versions, newest first."""
    asked = _page()
    found = reporting.model_reports().versions(model_name(model), asked.limit + 1, asked.after)
    return answer(200, asked.of("versions", found, lambda one: one["version"], dict))


@api.get("/models/<model>/versions/<version>")
def version(model: str, version: str) -> Response[str]:
    """Show one version."""
    return answer(200, reporting.model_reports().version(model_name(model), identifier(version, "version")))


@api.get("/models/<model>/deployments")
def deployments(model: str) -> Response[str]:
    """List the changes of the serving pointer, newest first."""
    asked = _page()
    found = reporting.model_reports().deployments(model_name(model), asked.limit + 1, asked.after_number)
    return answer(200, asked.of("deployments", found, lambda made: str(made.sequence), DeploymentRecord.to_plain))


@api.get("/models/<model>/configuration")
def configuration(model: str) -> Response[str]:
    """Show a configuration as it was sent, the newest by default."""
    revision = whole_number(api.current_event, "revision", 1_000_000)
    return answer(200, shown_configuration(stores.configurations().stored(model_name(model), revision)))


@api.get("/models/<model>/configurations")
def configurations(model: str) -> Response[str]:
    """List the configurations of a model as they were sent, newest first."""
    asked = _page(default=20, most=100)
    found = stores.configurations().revisions(model_name(model), asked.limit + 1, asked.after_number)
    return answer(200, asked.of("configurations", found, lambda stored: str(stored.revision), shown_configuration))


@api.get("/models/<model>/checks")
def checks(model: str) -> Response[str]:
    """List the results of checks, newest first."""
    history, asked = reporting.check_history(), _page(default=20, most=100)
    given = api.current_event.query_string_parameters or {}
    named = (given.get(name) for name in ("kind", "from", "to", "version"))
    query = CheckQuery.parse(*named, daily=flag(api.current_event, "daily"))
    keys = history.keys(model_name(model), query, asked.limit + 1, asked.after)
    listed = asked.of("checks", keys, str, history.show)
    return answer(200, {**listed, "checks": [check for check in listed["checks"] if check is not None]})


@api.get("/models/<model>/datasets")
def datasets(model: str) -> Response[str]:
    """List datasets, newest first."""
    asked = _page()
    found = reporting.dataset_reports().newest(model_name(model), asked.limit + 1, asked.after)
    return answer(200, asked.of("datasets", found, lambda record: record.dataset_id, DatasetRecord.to_plain))


@api.get("/models/<model>/datasets/<dataset_id>")
def dataset(model: str, dataset_id: str) -> Response[str]:
    """Show a dataset's manifest and link its parts."""
    name, with_labels = identifier(dataset_id, "dataset"), flag(api.current_event, "labels")
    return answer(200, reporting.dataset_reports().show(model_name(model), name, with_labels=with_labels))


@api.get("/models/<model>/quarantine")
def quarantine(model: str) -> Response[str]:
    """Count what is in quarantine by reason, and show the newest of it."""
    asked, now = _page(most=300), requested_at(api.current_event)
    report = reporting.quarantine_reports().newest(quarantine_name(model), asked.limit + 1, now, asked.after)
    rows = asked.of("rows", report.rows, cursor_of, shown_row)
    return answer(200, {"counts": report.counts, "capped": report.capped, **rows})


@api.get("/models/<model>/jobs")
def job_list(model: str) -> Response[str]:
    """List jobs of a kind or of all, newest first."""
    asked = _page(default=20, most=200)
    kind = parse_kind((api.current_event.query_string_parameters or {}).get("kind"))
    found = reporting.job_reports().newest(quarantine_name(model), kind, asked.limit + 1, asked.after)
    return answer(200, asked.of("jobs", found, lambda job: job.job_id, JobReport.to_plain))


@api.get("/models/<model>/jobs/<job_id>")
def job(model: str, job_id: str) -> Response[str]:
    """Report how far a job is and what it did."""
    return answer(200, reporting.job_reports().find(quarantine_name(model), identifier(job_id, "job")).to_plain())


handler = http_handler(api)


def _page(*, default: int = 50, most: int = 1000) -> Page:
    return page(api.current_event, default=default, most=most)
