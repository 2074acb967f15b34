from pathlib import Path

import pytest

from bench.permissions import plugin
from local import server


def test_the_recorder_takes_the_place_of_every_server_that_is_started_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PROGRAM", server.PROGRAM)
    monkeypatch.setattr(server, "PASSED_ON", list(server.PASSED_ON))
    plugin.pytest_configure()
    assert server.Server(1, tmp_path)._program == ("-m", "bench.permissions.recorder")
