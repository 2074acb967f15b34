"""A whole local stack: the server and the deployment on it."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hindsight.core.errors import HindsightError
from local.client import StackClient
from local.deploy import deploy, parameters_of
from local.server import Server, free_port, is_healthy
from local.state import STACK_FILE, Stack, StateFolder
from local.template import load_template
from local.termination import unwound_on_termination

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
def deployed_on(server: Server, parameters: dict[str, str]) -> Iterator[Stack]:
    """Run a server with a deployment for the length of a with block; it stops when the process is terminated, too."""
    with unwound_on_termination():
        try:
            yield start(server, parameters)
        finally:
            server.stop()


@contextmanager
def running_stack(folder: Path, parameters: dict[str, str] | None = None, port: int | None = None) -> Iterator[Stack]:
    """Run a separate stack in simulated time, for the length of a with block."""
    with deployed_on(Server(port or free_port(), folder), SIMULATED_TIME | (parameters or {})) as stack:
        yield stack


def is_in_simulated_time(stack: Stack) -> bool:
    """Check whether a stack believes its clients' times and leaves its schedules off."""
    return parameters_of(stack).items() >= SIMULATED_TIME.items()


@contextmanager
def simulated_time(stack: Stack, say: Callable[[str], None]) -> Iterator[Stack]:
    """Run a stack in simulated time for the length of a with block; one that ran by the wall clock goes back to it."""
    if is_in_simulated_time(stack):
        yield stack
        return
    before = parameters_of(stack)
    simulated = deploy(stack.endpoint_url, SIMULATED_TIME, stack.stack_name)
    say("the stack runs in simulated time until the replay ends")
    with unwound_on_termination():
        try:
            yield simulated
        finally:
            deploy(stack.endpoint_url, {name: before[name] for name in SIMULATED_TIME}, stack.stack_name)
            say("the stack runs by the wall clock again")


class NoStack(HindsightError):
    """No stack is up where a command looks for one."""

    code = "no_stack"


def find_stack(state: StateFolder, port: int | None = None) -> Stack:
    """Find the stack on a port, by default the newest, or the one that is left, if it is up. Raises NoStack."""
    newest = state.root / STACK_FILE
    known = [Stack.load(newest)] if port is None and newest.exists() else []
    ports = state.ports()[::-1] if port is None else [port]
    known += [stack for one in ports if (stack := state.stack_on(one)) is not None]
    found = next((stack for stack in known if is_healthy(stack.endpoint_url)), None)
    if found is None:
        where, how = ("", "make up") if port is None else (f" on port {port}", f"make up PORT={port}")
        raise NoStack(f"no stack is up{where}: start one with `{how}`")
    return found


def operator_client(state: StateFolder, port: int | None) -> StackClient:
    """Build a client of the stack that API and OPERATOR_KEY name, else of the local one. Raises NoStack."""
    if "API" in os.environ and "OPERATOR_KEY" in os.environ:
        return StackClient(Stack("", "", "", os.environ["API"], {"operator": os.environ["OPERATOR_KEY"]}, {}))
    return StackClient(find_stack(state, port))
