"""The memory of local stacks: each in ``.local/{port}/``, the newest in ``.local/stack.json`` too."""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

# The checkout's, from whichever of its folders a command is run.
DEFAULT_STATE = Path(os.path.relpath(Path(__file__).parents[1] / ".local"))
STACK_FILE = "stack.json"
PID_FILE = "pid"


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack, as ``stack.json`` describes it."""

    endpoint_url: str
    region: str
    stack_name: str
    api_url: str
    keys: dict[str, str]
    outputs: dict[str, str]

    @property
    def console_url(self) -> str:
        """The address of the console."""
        return f"{self.api_url.rstrip('/')}/console"

    @classmethod
    def load(cls, path: Path) -> "Stack":
        """Read the stack that a file describes."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def save(self, path: Path) -> None:
        """Write the file whole or not at all: another process may be reading it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        draft.chmod(0o600)
        draft.replace(path)


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The folder of all local stacks of a checkout."""

    root: Path

    def of_port(self, port: int) -> Path:
        """Name the folder of the server on a port."""
        return self.root / str(port)

    def ports(self) -> list[int]:
        """List the ports that have a folder."""
        return sorted(int(folder.name) for folder in self.root.glob("*/") if folder.name.isdigit())

    def remember(self, stack: Stack, port: int | None = None) -> None:
        """Make a stack the newest one."""
        if port is not None:
            stack.save(self.of_port(port) / STACK_FILE)
        stack.save(self.root / STACK_FILE)

    def stack_on(self, port: int) -> Stack | None:
        """Read the stack deployed to the server on a port, if any."""
        path = self.of_port(port) / STACK_FILE
        return Stack.load(path) if path.exists() else None

    def forget(self, port: int) -> None:
        """Delete a port's folder with all that its server kept."""
        self.set_aside(port)
        shutil.rmtree(self.of_port(port), ignore_errors=True)
        if self.root.exists() and not any(self.root.iterdir()):
            self.root.rmdir()

    def set_aside(self, port: int) -> None:
        """Keep the stack of a server that stopped; if it was the newest, another that runs takes its place."""
        gone, newest = self.stack_on(port), self.root / STACK_FILE
        if gone is None or not newest.exists() or Stack.load(newest).endpoint_url != gone.endpoint_url:
            return
        newest.unlink()
        others = [stack for other in self.ports() if other != port and (stack := self._running_on(other))]
        if others:
            others[-1].save(newest)

    def _running_on(self, port: int) -> Stack | None:
        """Read the stack on a port whose server has not been stopped."""
        return self.stack_on(port) if (self.of_port(port) / PID_FILE).exists() else None
