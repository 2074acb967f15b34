"""Versions as operators see them."""

from dataclasses import replace

from hindsight.core.times import format_time
from hindsight.reporting.versions import shown_version
from hindsight.rollout.approval.approval import Answer
from tests.unit.labels.builders import NOON
from tests.unit.reporting.test_status import ASKED, RECORD


def test_a_version_is_shown_with_its_proof_and_its_lineage_apart() -> None:
    shown = shown_version(RECORD, lambda key: f"https://lake/{key}")
    assert shown["metrics"] == {"accuracy": 0.9}
    assert shown["gate"] == {"verdict": "promote", "checks": [], "pointer_sequence": 0, "notes": []}
    assert shown["lineage"] == {
        "candidate": "logistic_regression",
        "decision_id": "decision-1",
        "dataset_id": "d1",
        "configuration_revision": 1,
        "code_version": "c",
        "candidates": [],
    }
    assert not {"verdict", "dataset_id", "card_url"} & shown.keys()


def test_version_shows_its_approvals_and_no_token() -> None:
    answer = Answer(approved=False, actor="key:operator", reason="not now", at=NOON)
    shown = shown_version(RECORD, str.upper, replace(ASKED, answer=answer))
    assert shown["approval"]["answer"] == {
        "approved": False,
        "actor": "key:operator",
        "reason": "not now",
        "at": "2026-03-01T12:00:00.000000Z",
    }
    assert "token" not in str(shown)


def test_a_version_links_its_card_also_once_it_has_expired() -> None:
    carded = RECORD.replace(card_key="models/card.html")

    assert shown_version(carded, lambda key: f"https://lake/{key}")["card_url"] == "https://lake/models/card.html"
    expired = shown_version(carded.replace(expired_at=NOON), lambda key: f"https://lake/{key}")
    # The artefact is gone; the card stays, and so does the link.
    assert expired["card_url"] == "https://lake/models/card.html"
    assert expired["expired_at"] == format_time(NOON)
