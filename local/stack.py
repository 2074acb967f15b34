"""A whole local stack: the server and the deployment on it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local.deploy import deploy, has_parameters
from local.server import Server, free_port
from local.state import Stack
from local.template import load_template

# In simulated time events carry their own time, and the replay calls the scheduled functions; the wall clock's
# schedules would mature everything at once.
# Nothing is on its way for long here: streams are archived and an erasure looks again at once.
SIMULATED_TIME = {
    "ClientTimestamps": "trusted",
    "ScheduleState": "DISABLED",
    "ArchiveWindowSeconds": "0",
    "ErasureSecondPassMinutes": "0",
}


def by_the_clock(parameters: Mapping[str, str]) -> dict[str, str]:
    """Add the defaults of what simulated time changes, as far as it is not given, where the clock is switched on.

    A stack that is deployed again keeps what is not given.
    """
    if parameters.get("ScheduleState") != "ENABLED":
        return dict(parameters)
    template = load_template()["Parameters"]
    return {name: str(template[name]["Default"]) for name in SIMULATED_TIME} | dict(parameters)


def start(server: Server, parameters: dict[str, str] | None = None) -> Stack:
    """Start a server, if it is not running yet, and deploy to it; stop it again if that fails."""
    was_running = server.is_running()
    server.start()
    try:
        return deploy(server.endpoint_url, parameters)
    except BaseException:
        if not was_running:
            server.stop()
        raise


@contextmanager
def running_stack(folder: Path, parameters: dict[str, str] | None = None, port: int | None = None) -> Iterator[Stack]:
    """Run a separate stack in simulated time, for the length of a with block."""
    server = Server(port or free_port(), folder)
    try:
        yield start(server, SIMULATED_TIME | (parameters or {}))
    finally:
        server.stop()


def in_simulated_time(stack: Stack) -> Stack:
    """Switch a stack to simulated time if it runs by the wall clock."""
    if has_parameters(stack, SIMULATED_TIME):
        return stack
    return deploy(stack.endpoint_url, SIMULATED_TIME, stack.stack_name)
