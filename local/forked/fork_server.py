"""The process that workers are forked from: it has imported once what every one of them would import again.

A program that stands alone: it is started by its path, with the number of a socket and the folder of the functions'
code. What reads the environment as it is imported is left to each worker.
"""

import gc
import importlib
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

REQUEST_BYTES = 1024 * 1024
# What every handler imports, besides the library.
_PRELOADED = (
    "boto3.session",
    "botocore.handlers",
    "botocore.signers",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.event_handler.api_gateway",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.tracing",
    "aws_lambda_powertools.utilities.batch",
    "aws_xray_sdk.core",
)
# What the library imports only when it comes to it.
_LATER = ("jinja2", "sklearn.ensemble", "sklearn.model_selection")
_LIBRARY = "hindsight"
# The runtime makes loggers and metrics of the environment as it is imported.
_OWN_TO_A_WORKER = ("hindsight.bootstrap", "hindsight.runtime", "hindsight.testing", "hindsight.__main__")


def main() -> None:
    """Import, then fork for every request until the socket is closed."""
    control = socket.socket(fileno=int(sys.argv[1]))
    # The code is not at its place yet in a worker's own path, and this program's folder is not in it at all.
    sys.path[0] = sys.argv[2]
    preload()
    # What is imported is the same in every worker: a collection that looks at it would copy it.
    gc.collect()
    gc.freeze()
    # The embedded AWS waits for the workers, by their descriptors.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, REQUEST_BYTES, 3)
        if not message:
            # The libraries' own farewells would only fill the log.
            os._exit(0)
        worker = os.fork()
        if not worker:
            run(control, json.loads(message), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        answer(control, worker)


def preload() -> None:
    """Import the dependencies, and the library but for what is a worker's own; what fails here fails there too."""
    _import(*_PRELOADED)
    code = Path(sys.path[0])
    names = [
        ".".join(path.relative_to(code).with_suffix("").parts) for path in sorted(code.glob(f"{_LIBRARY}/**/*.py"))
    ]
    if names:
        own = (name.removesuffix(".__init__") for name in names if not name.startswith(_OWN_TO_A_WORKER))
        _import(*own, *_LATER)


def _import(*names: str) -> None:
    for name in names:
        with suppress(ImportError):
            importlib.import_module(name)


def answer(control: socket.socket, worker: int) -> None:
    """Answer with the process that it became and a descriptor of it; without one if it has ended already."""
    try:
        descriptor = os.pidfd_open(worker)
    except ProcessLookupError:
        socket.send_fds(control, [str(worker).encode()], [])
        return
    socket.send_fds(control, [str(worker).encode()], [descriptor])
    os.close(descriptor)


def run(control: socket.socket, request: dict[str, Any], descriptors: list[int]) -> None:
    """Be the worker: run the script as a new interpreter would, with its streams, folder and environment, and end."""
    try:
        control.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        if "numpy.random" in sys.modules:
            sys.modules["numpy.random"].seed()
        script = request["script"]
        sys.argv, sys.path[0] = [script], str(Path(script).parent)
        program = compile(Path(script).read_text(encoding="utf-8"), script, "exec")
        exec(program, {"__name__": "__main__", "__file__": script})  # noqa: S102  what an interpreter does  # nosec
    except BaseException:  # noqa: BLE001
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
