"""One suite judges the fake and the adapter."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hindsight.adapters.models_table.configuration_table import DynamoConfigurations
from hindsight.config.model import ModelConfiguration
from hindsight.config.store import ConfigurationStore, Retirement, SentDocument
from hindsight.core.errors import Conflict, ModelRetired, NotFound
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.models.configurations import InMemoryConfigurations

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RETIREMENT = Retirement(reason="replaced by scooters", actor="key:operator", at=NOON)
SENT = SentDocument(
    text="task: binary  # a note\n", content_type="application/yaml", actor="key:operator", reason="a longer window"
)


@pytest.fixture(params=["in_memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> ConfigurationStore:
    if request.param == "in_memory":
        return InMemoryConfigurations()
    return DynamoConfigurations("models", request.getfixturevalue("dynamodb"))


def revised(days: int) -> ModelConfiguration:
    return configuration().model_copy(update={"retention": timedelta(days=days)})


def test_unknown_model_is_not_found(store: ConfigurationStore) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        store.current("bike-demand")
    with pytest.raises(NotFound, match="does not exist"):
        store.stored("bike-demand")
    with pytest.raises(NotFound, match="does not exist"):
        store.revisions("bike-demand", 1)
    with pytest.raises(NotFound, match="does not exist"):
        store.retire("bike-demand", RETIREMENT)


def test_configuration_comes_back_as_it_was_sent(store: ConfigurationStore) -> None:
    assert store.put(revised(500), NOON, SENT) == 1

    found = store.stored("bike-demand")

    assert (found.revision, found.at, found.sent) == (1, NOON, SENT)
    assert found.configuration == revised(500) == store.current("bike-demand").configuration


def test_same_configuration_again_is_the_same_revision_with_the_first_document(store: ConfigurationStore) -> None:
    store.put(revised(500), NOON, SENT)

    assert store.put(revised(500), NOON + timedelta(days=1)) == 1

    assert store.stored("bike-demand").sent == SENT


def test_revisions_are_listed_newest_first_in_pages(store: ConfigurationStore) -> None:
    for days in (401, 402, 403):
        store.put(revised(days), NOON)

    first = store.revisions("bike-demand", 2)
    second = store.revisions("bike-demand", 2, before=first[-1].revision)

    assert [found.revision for found in first] == [3, 2]
    assert [found.revision for found in second] == [1]
    assert store.revisions("bike-demand", 2, before=1) == []
    assert second[0].configuration == revised(401) == store.revision("bike-demand", 1).configuration


def test_unknown_revision_is_not_found(store: ConfigurationStore) -> None:
    store.put(revised(500), NOON)

    with pytest.raises(NotFound, match="has no configuration revision 2"):
        store.revision("bike-demand", 2)
    with pytest.raises(NotFound, match="has no configuration revision 2"):
        store.stored("bike-demand", 2)


def test_retired_model_is_in_no_list_and_its_revisions_stay_readable(store: ConfigurationStore) -> None:
    store.put(revised(500), NOON)

    store.retire("bike-demand", RETIREMENT)

    assert store.models() == []
    assert store.models(retired=True) == ["bike-demand"]
    assert store.retirement("bike-demand") == RETIREMENT
    with pytest.raises(ModelRetired, match="retired"):
        store.current("bike-demand")
    assert store.stored("bike-demand").revision == store.revision("bike-demand", 1).revision == 1


@pytest.mark.parametrize("days", [500, 501], ids=["unchanged", "changed"])
def test_retired_model_is_back_once_its_configuration_is_put_again(store: ConfigurationStore, days: int) -> None:
    store.put(revised(500), NOON)
    store.retire("bike-demand", RETIREMENT)

    revision = store.put(revised(days), NOON)

    assert store.models() == store.models(retired=True) == ["bike-demand"]
    assert store.retirement("bike-demand") is None
    assert store.current("bike-demand").revision == revision == 1 + (days != 500)


def test_first_retirement_stays_and_an_erasure_completes_it(store: ConfigurationStore) -> None:
    store.put(revised(500), NOON)
    store.retire("bike-demand", RETIREMENT)
    later = Retirement(reason="again", actor="key:operator", at=NOON + timedelta(days=1))

    assert store.retire("bike-demand", later) == RETIREMENT
    erased = store.retire("bike-demand", replace(later, job_id="job-1"))

    assert erased == replace(RETIREMENT, job_id="job-1") == store.retirement("bike-demand")


def test_retirement_of_an_unknown_model_is_not_found(store: ConfigurationStore) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        store.retirement("bike-demand")


ERASURE = replace(RETIREMENT, job_id="job-1")
ERASED = replace(ERASURE, reason="erased", erased_at=NOON + timedelta(hours=1))


def test_model_that_is_being_erased_is_in_no_list_is_not_read_and_takes_no_configuration(
    store: ConfigurationStore,
) -> None:
    store.put(revised(500), NOON)
    store.retire("bike-demand", ERASURE)

    assert store.models(retired=True) == []
    assert store.retirement("bike-demand") == ERASURE
    for read in (store.newest, store.stored, lambda model: store.revisions(model, 1)):
        with pytest.raises(NotFound, match="erased"):
            read("bike-demand")
    with pytest.raises(ModelRetired):
        store.current("bike-demand")
    with pytest.raises(Conflict, match="being erased"):
        store.put(revised(501), NOON)


def test_erasure_under_way_stays_the_one_when_another_is_asked_for(store: ConfigurationStore) -> None:
    store.put(revised(500), NOON)
    store.retire("bike-demand", ERASURE)

    assert store.retire("bike-demand", replace(ERASURE, job_id="job-2")) == ERASURE
    store.erase("bike-demand", replace(ERASED, job_id="job-2"))
    assert store.retirement("bike-demand") == ERASURE


def test_erased_model_keeps_its_record_and_its_successor_goes_on_counting(store: ConfigurationStore) -> None:
    store.put(revised(500), NOON)
    store.put(revised(501), NOON)
    store.retire("bike-demand", ERASURE)

    store.erase("bike-demand", ERASED)

    record = replace(ERASED, erased_revisions=2)
    assert store.retirement("bike-demand") == record
    for revision in (1, 2):
        with pytest.raises(NotFound):
            store.stored("bike-demand", revision)
    with pytest.raises(NotFound, match="erased"):
        store.retire("bike-demand", RETIREMENT)
    assert store.retire("bike-demand", replace(ERASURE, job_id="job-2")).is_being_erased
    store.erase("bike-demand", replace(ERASED, job_id="job-2"))

    assert store.put(revised(501), NOON) == 3
    assert store.retirement("bike-demand") is None
    assert store.models() == ["bike-demand"]
    assert [found.revision for found in store.revisions("bike-demand", 5)] == [3]
    store.erase("bike-demand", replace(ERASED, job_id="job-2"))
    assert store.current("bike-demand").revision == 3
