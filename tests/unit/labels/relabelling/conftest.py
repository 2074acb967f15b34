"""Fixtures of a relabelling's files."""

import pytest

from hindsight.labels.joining import feedback_files
from hindsight.labels.relabelling import files as relabel_files
from tests.unit.labels.relabelling.relabelled_files import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert vars(relabel_files)["CHUNK_LINES"] == feedback_files.CHUNK_LINES
    monkeypatch.setattr(relabel_files, "CHUNK_LINES", 2)
