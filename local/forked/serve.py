"""The embedded AWS with forked workers, as a process started by its path."""

import sys
from pathlib import Path

# Functions inherit the environment, and must not find the checkout: so PYTHONPATH does not name it.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from ministack import app  # noqa: E402

from local import gateway_rules  # noqa: E402
from local.forked import workers  # noqa: E402


def main() -> None:
    """Make the emulator what the tests need of it, and serve."""
    workers.install()
    gateway_rules.install()
    app.main()


if __name__ == "__main__":
    main()
