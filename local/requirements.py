"""The requirements of a layer: what it needs of the lock of everything, by the lock's own versions and hashes."""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from hindsight.core.errors import HindsightError
from local.package import LAYERS

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements/hindsight.txt"
# What every function has; the other layers are extras, and bring only what this one does not.
BASE = "dependencies"
_PIN = re.compile(r"^[a-z0-9][\w.-]*==[^\s;\\]+", re.MULTILINE)


class NotLocked(HindsightError):
    """A layer needs what the lock does not hold."""


def requirements_of(layer: str, python: str, platform: str) -> str:
    """Write the requirements of a layer, for the Python and platform that it will run on."""
    pins = _resolve([] if layer == BASE else ["--extra", layer], python, platform)
    if layer != BASE:
        pins -= _resolve([], python, platform)
    return select(LOCK.read_text(encoding="utf-8"), pins)


def select(lock: str, pins: Iterable[str]) -> str:
    r"""Take pinned packages out of a lock, each with its hashes.

    >>> lock = "six==1.17.0 \\\n    --hash=sha256:aa\n    # via b\nwrapt==2.5.2 \\\n    --hash=sha256:cc\n"
    >>> print(select(lock, {"wrapt==2.5.2"}), end="")
    wrapt==2.5.2 \
        --hash=sha256:cc
    """
    blocks: dict[str, str] = {}
    for block in re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]:
        lines = [line for line in block.splitlines(keepends=True) if not line.lstrip().startswith("#")]
        blocks[_PIN.findall(block)[0]] = "".join(lines)
    wanted = sorted(pins)
    if missing := [pin for pin in wanted if pin not in blocks]:
        raise NotLocked(f"not in the lock: {', '.join(missing)}; run `make locks`")
    return "".join(blocks[pin] for pin in wanted)


def _resolve(extras: list[str], python: str, platform: str) -> set[str]:
    """Name what the package needs there, by the versions of the lock."""
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "pyproject.toml", *extras]
    options = ["--constraint", str(LOCK), "--python-version", python, "--python-platform", platform]
    ended = subprocess.run(  # noqa: S603  the checkout's own uv
        [*command, *options, "--no-header", "--no-annotate"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise NotLocked(ended.stderr.strip())
    return set(_PIN.findall(ended.stdout))


def path_of(layer: str) -> Path:
    """Name the file of a layer's requirements."""
    return LAYERS / f"{layer}.txt"
