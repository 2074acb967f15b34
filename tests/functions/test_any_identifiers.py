"""Any printable text is an id: from the log over feedback and label to the explanation and the erasure."""

import itertools
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.get_model.app import handler as report
from functions.log_predictions.app import handler as log
from functions.request_jobs.app import handler as request
from hindsight.bootstrap import erasing, labelling, stores
from hindsight.core.times import format_time
from hindsight.entities.feedback import Feedback
from hindsight.ingestion.feedback_capture import FeedbackReader, feedback_line
from hindsight.labels.joining.feedback_files import parse_feedback_line
from hindsight.validation.timestamps import ClientTimestamps
from tests.functions.requests import Answer, send
from tests.identifiers import IDENTIFIERS
from tests.unit.labels.builders import DEMAND, NOON, at, configuration

_models = (f"any-{number}" for number in itertools.count())
LONGEST = "\U0001f9ff" * 128
KNOWN = ("p", "p#prediction", "a/b", "a%2Fb", "é", "e\u0301", "..", "?#&", "label#00000001", "');--", '","', LONGEST)


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.sets(IDENTIFIERS, min_size=8, max_size=8))
def test_all_ids_are_logged_labelled_explained_and_erased_apart(versioned: None, sent: Any, drawn: set[str]) -> None:
    ids = sorted({*KNOWN, *drawn})
    model, names, outcomes = next(_models), ids[1:] + ids[:1], [100 + (-1) ** place for place in range(len(ids))]
    stores.configurations().put(configuration(DEMAND, model=model), NOON)
    items = [
        {"prediction_id": one, "entity_id": name, "features": {}, "score": 0.7, "model_version": one}
        for one, name in zip(ids, names, strict=True)
    ]
    logged = send(log, "log_predictions", {"predictions": items}, path=f"/v1/models/{model}/predictions")
    assert logged == (202, {"accepted": ids, "rejected": []})
    events = [_heard(model, *event) for event in zip(ids, reversed(names), outcomes, strict=True)]
    labelling.label_joiner().join(events)

    _erase(model, names[3])

    for place, (one, feedback, outcome) in enumerate(zip(ids, reversed(names), outcomes, strict=True)):
        status, explained = _explained(model, one)
        if place == 3:
            assert status == 404
            continue
        assert (status, explained["prediction"]["prediction_id"], explained["prediction"]["entity_id"]) == (
            200,
            one,
            names[place],
        )
        assert [event["feedback_id"] for event in explained["feedback"]] == [feedback]
        assert [found["value"] for found in explained["labels"]] == [int(outcome > 100)]


def _heard(model: str, prediction_id: str, feedback_id: str, value: float) -> Feedback:
    """Take an event as the door does, and read it back from the file that keeps it."""
    reader = FeedbackReader(configuration(DEMAND, model=model), NOON, ClientTimestamps.PAST)
    item = {"prediction_id": prediction_id, "feedback_id": feedback_id, "name": "demand", "value": value}
    kept = parse_feedback_line(feedback_line(reader.read(item, "events[0]")))
    assert isinstance(kept, Feedback)
    return kept


def _explained(model: str, prediction_id: str) -> Answer:
    return send(report, "get_model", path=f"/v1/models/{model}/predictions/{quote(prediction_id, safe='')}")


def _erase(model: str, entity_id: str) -> None:
    path = f"/v1/models/{model}/entities/{quote(entity_id, safe='')}"
    status, job = send(request, "request_jobs_erasure", {"occurred_at": format_time(at(100))}, path=path)
    assert status == 202
    erasing.eraser().run(model, job["job_id"], lambda: True)
