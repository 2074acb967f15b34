"""The embedded AWS in account mode, as a process started by its path; its environment carries the mode."""

import sys
from pathlib import Path

# Functions inherit the environment, and must not find the checkout: so PYTHONPATH does not name it.
sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)

from ministack import app  # noqa: E402

from bench.account.mode import delivery, gateway, objects, room, shards, starts, wire, workflows  # noqa: E402
from bench.account.mode.settings import STARTS, Mode  # noqa: E402
from local import gateway_rules  # noqa: E402


def main() -> None:
    """Make the emulator an account, and serve."""
    mode = Mode.of_environment()
    wire.install(mode)
    objects.install()
    delivery.install(mode)
    room.install()
    shards.install(mode)
    gateway_rules.install(mode.integration_seconds)
    gateway.install(mode)
    workflows.install(mode)
    starts.install(mode, Path.cwd() / STARTS)
    app.main()


if __name__ == "__main__":
    main()
