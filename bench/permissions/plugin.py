"""A plugin of pytest: each embedded AWS that the tests start notes what policies allow."""

from pathlib import Path

from bench.permissions import RECORD_VARIABLE
from local import server

RECORDER = Path(__file__).resolve().with_name("recorder.py")


def pytest_configure() -> None:
    """Start the recorder instead of the plain server, and give it the file to write."""
    server.PROGRAM = (str(RECORDER),)
    server.PASSED_ON += [RECORD_VARIABLE]
