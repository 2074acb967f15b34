"""The embedded AWS as an account, with or without the product deployed to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.account.mode.settings import Mode
from local.client import StackClient
from local.server import Server, free_port
from local.stack import SIMULATED_TIME, deployed_on
from local.template import layers_of, load_template, resources_of

PROGRAM = Path(__file__).parent.resolve() / "server.py"
# Batching windows and Firehose's buffers wait a twentieth of their time: what is gathered is as much as in an account
# with a twentieth of the traffic, and a run ends.
PACE = 0.05
# Operators ask again for minutes: while ten functions are busy there is no room for their question.
ATTEMPTS = 40
# The shortest sensible value in an account; in simulated time it is 0.
ARCHIVE_WINDOW = {"ArchiveWindowSeconds": "60"}
# Unzipped, as `make build` prints: the layers that only some functions have.
MEGABYTES = {"ScienceLayer": 237.0, "DataLayer": 67.0}
_FUNCTION = "AWS::Serverless::Function"


def account_server(folder: Path, mode: Mode) -> Server:
    """Build a server, not started yet, that behaves as an account."""
    return Server(free_port(), folder, program=(str(PROGRAM),), variables=mode.environment())


def with_layers(mode: Mode) -> Mode:
    """Build the mode with the template's layers of each function."""
    template = load_template()
    megabytes = {
        name: sum(MEGABYTES.get(layer, 0.0) for layer in layers_of(template, name))
        for name in resources_of(template, _FUNCTION)
    }
    return replace(mode, layer_megabytes={name: size for name, size in megabytes.items() if size})


@contextmanager
def account_stack(folder: Path, mode: Mode, parameters: dict[str, str] | None = None) -> Iterator[StackClient]:
    """Run the product in a separate account, in simulated time, for the length of a with block."""
    server = account_server(folder, with_layers(mode))
    with deployed_on(server, SIMULATED_TIME | ARCHIVE_WINDOW | (parameters or {})) as stack:
        yield StackClient(stack, attempts=ATTEMPTS)
