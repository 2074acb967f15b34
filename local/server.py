"""The embedded AWS as a subprocess: loopback only, IAM enforced, found again by its process id."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import requests

from hindsight.core.errors import HindsightError
from local.state import PID_FILE

REGION = "us-east-1"
# What is started as the embedded AWS, and the environment it is started in.
PROGRAM: tuple[str, ...] = (str(Path(__file__).resolve().parent / "forked" / "serve.py"),)
# The program that is the same, starts functions by itself, and keeps what it holds even if it is killed.
KEEPER = Path(__file__).with_name("emulator.py")
PASSED_ON = ["PATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV", "SSL_CERT_FILE", "SFN_MOCK_CONFIG", "SFN_WAIT_SCALE"]
# Below those that systems give to outgoing connections: while a server is stopped, none of these takes its port.
_PORTS = range(20_000, 30_000)
_HOST = "127.0.0.1"
_START_SECONDS = 60.0
_RELEASE_SECONDS = 10.0
_STOP_SECONDS = 20.0
_BUSY_SECONDS = 20.0
# One that persists writes all it has when it is asked to stop.
_SAVE_SECONDS = 180.0


class ServerError(HindsightError):
    """The embedded AWS could not be started or stopped."""


class Server:
    """The server on one port; everything it writes lies in ``folder``. One that ``persists`` keeps its state there.

    It is written when the server stops, and read when it starts again; ``keeper`` builds one that writes it while it
    runs, too. Another ``program`` than the embedded AWS itself
    is one that runs it, in its own way; ``variables`` are added to its environment.
    """

    def __init__(
        self,
        port: int,
        folder: Path,
        *,
        persists: bool = False,
        program: tuple[str, ...] | None = None,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.port = port
        # Read now: what records permissions puts another program in its place.
        self._program, self._variables = program or PROGRAM, dict(variables)
        self._folder = folder.absolute()
        self._persists = persists
        self._pid_file = self._folder / PID_FILE

    @classmethod
    def keeper(cls, port: int, folder: Path) -> "Server":
        """Build the server whose state outlives it, however it ends."""
        return cls(port, folder, persists=True, program=(str(KEEPER),))

    @property
    def endpoint_url(self) -> str:
        """The address at which the server answers."""
        return f"http://{_HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """The log of the server and of the functions in it."""
        return self._folder / "server.log"

    @property
    def pid(self) -> int | None:
        """The process that is the server, None if it is not running."""
        return self._pid()

    def is_running(self) -> bool:
        """Check whether our own server lives and answers."""
        return self._pid() is not None and is_healthy(self.endpoint_url)

    def start(self) -> None:
        """Start the server and wait until it answers. Raises ServerError if it does not, or the port is taken."""
        if self.is_running():
            return
        self._require_port()
        temporary = self._folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  our own interpreter
                [sys.executable, *self._program],
                cwd=self._folder,
                env=environment_of(self.port, temporary, self._folder / "state", persists=self._persists)
                | self._variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._pid_file.write_text(str(process.pid), encoding="utf-8")
        deadline = time.monotonic() + _START_SECONDS
        while not is_healthy(self.endpoint_url):
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ServerError(f"the embedded AWS did not start; the end of its log:\n{_tail(self.log)}")
            time.sleep(0.1)

    def _require_port(self) -> None:
        """Wait for the port of a server of ours that was killed: its workers let go of it in moments."""
        deadline = time.monotonic() + (_RELEASE_SECONDS if self._pid_file.exists() else 0)
        while _is_taken(self.port):
            if time.monotonic() >= deadline:
                raise ServerError(f"port {self.port} is taken by another program; choose one: make up PORT=4700")
            time.sleep(0.1)

    def stop(self) -> bool:
        """Stop the server with all its workers, if there was one."""
        pid = self._pid()
        if pid is not None:
            _signal(pid, signal.SIGTERM)
            if not _gone(pid, _SAVE_SECONDS if self._persists else _STOP_SECONDS):
                _signal(pid, signal.SIGKILL)
                _gone(pid, _STOP_SECONDS)
            # Workers share the server's group; one that outlived it would hold its files.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        self._pid_file.unlink(missing_ok=True)
        return pid is not None

    def _pid(self) -> int | None:
        try:
            pid = int(self._pid_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        # The number may since have gone to another process. Without -ww a long path is cut.
        command = subprocess.run(  # noqa: S603
            ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return pid if self._program[-1] in command.stdout else None


def is_healthy(endpoint_url: str) -> bool:
    """Check whether an embedded AWS answers at an address; one that has much to do may take its time."""
    try:
        return requests.get(f"{endpoint_url}/_ministack/health", timeout=(2, _BUSY_SECONDS)).ok
    except requests.RequestException:
        return False


def free_port() -> int:
    """Find a port that nothing listens on, and that no outgoing connection takes. Raises ServerError."""
    for port in random.SystemRandom().sample(_PORTS, 100):
        with socket.socket() as listener, suppress(OSError):
            listener.bind((_HOST, port))
            return port
    raise ServerError("no port is free")


def environment_of(port: int, temporary: Path, state: Path, *, persists: bool) -> dict[str, str]:
    """Build the environment that the embedded AWS runs in."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return kept | {
        "AUTH": "true",
        "BIND_HOST": _HOST,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        # Of a burst of instances all but one go after so long: each is a process of up to 200 MB.
        "LAMBDA_WARM_TTL_SECONDS": "60",
        "LOG_LEVEL": "WARNING",
        "MINISTACK_REGION": REGION,
        # Functions run side by side here; each with a thread for every core, they would wait for each other.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        # There is no X-Ray daemon to listen.
        "POWERTOOLS_TRACE_DISABLED": "true",
        "PERSIST_STATE": str(int(persists)),
        "S3_PERSIST": str(int(persists)),
        "S3_DATA_DIR": str(state / "s3"),
        "STATE_DIR": str(state),
        "TMPDIR": str(temporary),
    }


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((_HOST, port)) == 0


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _gone(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])
