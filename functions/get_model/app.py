"""Answer the operators' questions about a model, its quarantine and its jobs (GET /v1/models/{model}…)."""

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import reporting
from hindsight.ingestion.imports import shown_import
from hindsight.quarantine.replay_request import shown_replay
from hindsight.runtime.handler import http_handler
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import identifier, limit, model_name, quarantine_name, requested_at

api = create_api()


@api.get("/models/<model>")
def status(model: str) -> Response[str]:
    """Report how a model is doing."""
    return answer(200, reporting.model_reports().status(model_name(model), requested_at(api.current_event)))


@api.get("/models/<model>/predictions/<prediction_id>")
def prediction(model: str, prediction_id: str) -> Response[str]:
    """Explain one prediction."""
    return answer(200, reporting.model_reports().prediction(model_name(model), identifier(prediction_id, "prediction")))


@api.get("/models/<model>/decisions")
def decisions(model: str) -> Response[str]:
    """List trigger decisions, newest first, and what the newest scheduled evaluation decided, recorded or not."""
    reports, name = reporting.model_reports(), model_name(model)
    found, last = reports.decisions(name, _limit()), reports.last_evaluation(name)
    return answer(
        200,
        {
            "decisions": [decision.to_plain() for decision in found],
            "last_evaluation": last.to_plain() if last else None,
        },
    )


@api.get("/models/<model>/versions")
def versions(model: str) -> Response[str]:
    """List versions, newest first."""
    return answer(200, {"versions": reporting.model_reports().versions(model_name(model), _limit())})


@api.get("/models/<model>/deployments")
def deployments(model: str) -> Response[str]:
    """List the changes of the serving pointer, newest first."""
    found = reporting.model_reports().deployments(model_name(model), _limit())
    return answer(200, {"deployments": [made.to_plain() for made in found]})


@api.get("/models/<model>/quarantine")
def quarantine(model: str) -> Response[str]:
    """Count what is in quarantine by reason, and show the newest of it."""
    most = _limit(most=300)
    report = reporting.quarantine_reports().newest(quarantine_name(model), most, requested_at(api.current_event))
    return answer(200, report)


@api.get("/models/<model>/quarantine/replays/<replay_id>")
def replay(model: str, replay_id: str) -> Response[str]:
    """Report how far a replay is."""
    job = reporting.intake_reports().replay(quarantine_name(model), identifier(replay_id, "replay"))
    return answer(200, shown_replay(job))


@api.get("/models/<model>/imports")
def imports(model: str) -> Response[str]:
    """List imports, newest first."""
    found = reporting.intake_reports().imports(model_name(model), _limit(most=300))
    return answer(200, {"imports": [shown_import(job) for job in found]})


@api.get("/models/<model>/relabel")
def relabellings(model: str) -> Response[str]:
    """List relabellings, newest first."""
    found = reporting.relabel_reports().jobs(model_name(model), _limit(default=20, most=200))
    return answer(200, {"relabellings": [job.to_json() for job in found]})


@api.get("/models/<model>/relabel/<relabel_id>")
def relabelling(model: str, relabel_id: str) -> Response[str]:
    """Report how far a relabelling is."""
    job = reporting.relabel_reports().job(model_name(model), identifier(relabel_id, "relabelling"))
    return answer(200, job.to_json())


@api.get("/models/<model>/erasures")
def erasures(model: str) -> Response[str]:
    """List erasures, newest first."""
    found = reporting.erasure_reports().newest(model_name(model), _limit(default=20, most=100))
    return answer(200, {"erasures": found})


@api.get("/models/<model>/erasures/<erasure_id>")
def erasure(model: str, erasure_id: str) -> Response[str]:
    """Report one erasure, and which versions were trained on what it erased."""
    return answer(200, reporting.erasure_reports().find(model_name(model), identifier(erasure_id, "erasure")))


@api.get("/models/<model>/datasets/<dataset_id>/verify")
def verification(model: str, dataset_id: str) -> Response[str]:
    """Report what the newest verification of a dataset found."""
    return answer(200, reporting.verification_reports().newest(model_name(model), identifier(dataset_id, "dataset")))


handler = http_handler(api)


def _limit(*, default: int = 50, most: int = 1000) -> int:
    return limit(api.current_event, default=default, most=most)
