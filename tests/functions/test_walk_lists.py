"""Every list of the API that takes a token, walked item by item: the walk ends, and holds each item once."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from functions.get_model.app import handler
from functions.handle_reviews.app import handler as review_handler
from hindsight.bootstrap import labelling, stores
from hindsight.core import compact_json
from hindsight.core.jobs import Job, JobKind, name_job
from hindsight.monitoring.results.check import Check, CheckKind, Verdict, report_key
from hindsight.quarantine.rejects import RejectCode
from hindsight.quarantine.store import QuarantinedRow
from hindsight.registry.version import DatasetRecord
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.builders.pointers import promoted
from hindsight.testing.builders.versions import version_record
from tests.functions.reads import MODEL, PATHS, record_decisions
from tests.functions.requests import send
from tests.unit.training.world import START

COUNT = 3
LISTS = sorted(
    path.replace("{model}", MODEL)
    for path, operations in PATHS.items()
    for method, operation in operations.items()
    if method == "get" and any(one["name"] == "next_token" for one in operation["parameters"])
)


@pytest.fixture(autouse=True)
def kept(deployed: None) -> None:
    """A few of everything that can be listed."""
    for number in range(COUNT):
        changed = {"retention": timedelta(days=400 + number)}
        stores.configurations().put(configuration().model_copy(update=changed), START)
        named = {"model": f"{MODEL}-{number}"}
        stores.configurations().put(configuration().model_copy(update=named), START)
    record_decisions(COUNT)
    pointer = None
    for number in range(COUNT):
        at = START + timedelta(hours=number)
        stores.registry().put_version(MODEL, version_record(f"v{number}", at))
        pointer = stores.registry().move_pointer(MODEL, promoted(f"v{number}", at, pointer))
        keep_dataset(f"d{number}", number)
        keep_check(number)
        job = Job(kind=JobKind.ERASURE, model=MODEL, job_id=name_job(JobKind.ERASURE, at), at=at, started_at=at)
        stores.job_store().start(job)
    labelling.quarantine().put([rejected(number) for number in range(COUNT)])


def keep_dataset(name: str, number: int) -> None:
    record = DatasetRecord(
        dataset_id=name,
        manifest_key="k",
        digest="d",
        as_of=START + timedelta(hours=number),
        configuration_revision=1,
        counts={},
    )
    stores.registry().put_dataset(MODEL, record)


def keep_check(number: int) -> None:
    at = START + timedelta(hours=number)
    key = report_key(MODEL, CheckKind.DRIFT, at)
    check = Check(model=MODEL, kind=CheckKind.DRIFT, at=at, verdict=Verdict.OK, reason="fine", report_key=key)
    stores.lake().write_bytes(key, compact_json.dumps(check.to_plain()).encode(), "application/json")
    stores.check_store().put(check)


def rejected(number: int) -> QuarantinedRow:
    at = START + timedelta(hours=number)
    return QuarantinedRow(
        code=RejectCode.INVALID, reason="no number", day=at.date(), model=MODEL, received_at=at, text=str(number)
    )


def items_of(answer: dict[str, Any]) -> list[Any]:
    """Find the one list of a page."""
    (found,) = [value for value in answer.values() if isinstance(value, list)]
    return list(found)


def pages(path: str, limit: int) -> Iterator[list[Any]]:
    query = {"limit": str(limit)}
    for _ in range(10 * COUNT):
        function, folder = (review_handler, "handle_reviews") if path == "/review" else (handler, "get_model")
        status, answer = send(function, folder, path=path, queryStringParameters=query)
        assert status == 200, answer
        yield items_of(answer)
        if "next_token" not in answer:
            return
        query["next_token"] = answer["next_token"]
    pytest.fail("the walk has no end")


def test_lists_are_all_that_the_document_names() -> None:
    names = {path.rsplit("/", 1)[1] for path in LISTS}
    assert names >= {"models", "decisions", "versions", "deployments", "configurations", "checks", "datasets"}
    assert names >= {"jobs", "quarantine"}


@pytest.mark.parametrize("path", LISTS)
def test_walk_of_one_item_a_page_is_the_list_as_a_whole(path: str, freeze_links: Callable[[Any], Any]) -> None:
    (whole,) = pages(path, 50)
    walked = list(pages(path, 1))

    assert len(whole) >= COUNT
    assert [len(found) for found in walked] == [1] * len(whole)
    assert freeze_links([found[0] for found in walked]) == freeze_links(whole)


@pytest.fixture
def freeze_links() -> Callable[[Any], Any]:
    """Build what leaves the signatures out of links: each read signs anew."""

    def frozen(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: frozen(value) for name, value in part.items()}
        if isinstance(part, list):
            return [frozen(value) for value in part]
        return part.partition("?")[0] if isinstance(part, str) else part

    return frozen
