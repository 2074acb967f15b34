"""A process that is terminated stops what it has started."""

import signal
import subprocess
import sys

from local.termination import TERMINATED, unwound_on_termination

PROGRAM = """
import time
from local.termination import unwound_on_termination

with unwound_on_termination():
    try:
        print("started", flush=True)
        time.sleep(60)
    finally:
        print("stopped", flush=True)
"""


def test_terminated_process_stops_its_resources() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.terminate()
        assert process.stdout.read() == "stopped\n"
    assert process.returncode == TERMINATED


def test_handler_is_restored_at_the_end() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with unwound_on_termination():
        pass
    assert signal.getsignal(signal.SIGTERM) == before
