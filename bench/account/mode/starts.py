"""The start of a function's workers: simulated and real durations, noted for measurement.

Modelled: an environment of the warm pool (``start_seconds``), and its layers laid out, by the megabyte. Real: the
processor time of the worker until it is ready, its imports. The megabytes a second are chosen so that the science layer
(237 MB and some two seconds of imports) starts in five, as is known of such functions; estimates both.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime

from bench.account.mode.patching import replace, require
from bench.account.mode.settings import Mode

_TICKS = os.sysconf("SC_CLK_TCK")


def install(mode: Mode, notes: Path) -> None:
    """Make workers start no sooner than they would on AWS."""
    require(lambda_runtime, "Worker")
    replace(lambda_runtime.Worker, "_spawn", "self", lambda original: _slowed(original, mode, notes))


def modelled_seconds(mode: Mode, config: dict[str, Any], processor_seconds: float) -> float:
    """Compute how long a start takes on AWS whose imports take so long on a whole processor.

    >>> mode = Mode(layer_megabytes={"TrainFunction": 237.0})
    >>> round(modelled_seconds(mode, {"FunctionName": "hindsight-TrainFunction-1A2B"}, 2.1), 1)
    5.0
    >>> modelled_seconds(mode, {"FunctionName": "hindsight-JoinFunction-1A2B"}, 0.25)
    0.45
    """
    snapshot = config.get("SnapStart") or {}
    if snapshot.get("OptimizationStatus") == "On" and config.get("Version", "$LATEST") != "$LATEST":
        return mode.restore_seconds
    name = str(config.get("FunctionName", ""))
    megabytes = next((size for logical, size in mode.layer_megabytes.items() if f"-{logical}-" in name), 0.0)
    return mode.start_seconds + megabytes / mode.layout_megabytes_per_second + processor_seconds


def processor_seconds_of(pid: int) -> float:
    """Read how much processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _slowed(original: Any, mode: Mode, notes: Path) -> Any:
    def spawn(self: Any) -> None:
        began = time.monotonic()
        original(self)
        used = processor_seconds_of(self._proc.pid)
        wanted = modelled_seconds(mode, self.config, used)
        time.sleep(max(0.0, began + wanted - time.monotonic()))
        note = {
            "function": self.config.get("FunctionName"),
            "pid": self._proc.pid,
            "memory": self.config.get("MemorySize", 128),
            "processor_seconds": used,
            "modelled_seconds": round(wanted, 3),
            "seconds": round(time.monotonic() - began, 3),
        }
        with notes.open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")

    return spawn
