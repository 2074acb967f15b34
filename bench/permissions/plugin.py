"""A plugin of pytest: each embedded AWS that the tests start notes what policies allow."""

from bench.permissions import RECORD_VARIABLE
from local import server


def pytest_configure() -> None:
    """Start the recorder instead of the plain server, and give it the file to write."""
    server.PROGRAM = ("-m", "bench.permissions.recorder")
    server.PASSED_ON += [RECORD_VARIABLE, "PYTHONPATH"]
