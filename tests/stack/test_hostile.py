"""A part of ``make hostile``: hostile requests get their answers, and the API keeps to its own document."""

from bench.hostile.__main__ import MODEL, give_inputs, targets
from bench.hostile.contract import conform
from bench.hostile.inputs import hostile_inputs
from local.client import StackClient


def test_hostile_requests_are_refused_and_the_document_is_kept_to(client: StackClient) -> None:
    given = give_inputs(client, hostile_inputs(targets(client), seed=2, at_least=0)[::5])
    assert (given["status_5xx"], given["unexpected"]) == (0, [])
    assert given["cases"] > 80
    assert client.call("GET", "openapi.json", key="reviewer")["openapi"] == "3.1.0"
    found = conform(client, MODEL, 60, first_seed=3)
    assert (found.cases >= 60, found.failures) == (True, [])
