"""The template's functions, and what their time costs."""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from local.transformed import Deployment

# Memory buys processor: at 1,769 MB a whole one.
WHOLE_PROCESSOR_MB = 1769
FREE_DISK_MB = 512


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a deployment.

    Time is processor time measured here, stretched to the share of a processor that its memory buys, and what its calls
    wait for. An instance without a call for ``KEPT_SECONDS`` is gone: the next call pays for a start.
    """

    name: str
    deployed: str
    module: str
    memory_mb: int
    disk_mb: int
    environment: Mapping[str, str]
    layers: tuple[str, ...]

    KEPT_SECONDS: ClassVar[float] = 600.0
    # Until an instance has its code, beside the imports, which are measured; large layers come from farther away.
    FETCH_SECONDS: ClassVar[float] = 0.3
    FETCH_SECONDS_OF_LARGE_LAYERS: ClassVar[float] = 2.0
    # START, END and REPORT, which Lambda writes around each invocation.
    PLATFORM_LOG_BYTES: ClassVar[int] = 330

    def handler(self) -> Callable[[Any, Any], Any]:
        """Load the handler."""
        module, _, name = self.module.rpartition(".")
        found: Callable[[Any, Any], Any] = getattr(importlib.import_module(module), name)
        return found

    def context(self) -> "Context":
        """Make Lambda's context of an invocation."""
        return Context(self.deployed, self.memory_mb)

    def seconds(self, cpu: float, waited: float, *, cold: bool) -> float:
        """Estimate the billed time of an invocation."""
        share = min(1.0, self.memory_mb / WHOLE_PROCESSOR_MB)
        return cpu / share + waited + (self.start_seconds(share) if cold else 0.0)

    def start_seconds(self, share: float) -> float:
        """Estimate how long an instance takes to start."""
        large = any("ScienceLayer" in layer or "DataLayer" in layer for layer in self.layers)
        fetched = self.FETCH_SECONDS_OF_LARGE_LAYERS if large else self.FETCH_SECONDS
        return fetched + import_seconds(self.module.rpartition(".")[0]) / share

    def bill(self, seconds: float) -> dict[str, float]:
        """Count the cost of an invocation by its duration."""
        disk = max(0, self.disk_mb - FREE_DISK_MB) / 1024 * seconds
        return {
            "lambda_requests": 1,
            "lambda_gb_seconds": seconds * self.memory_mb / 1024,
            **({"lambda_disk_gb_seconds": disk} if disk else {}),
        }


@dataclass(frozen=True, slots=True)
class Context:
    """The context of an invocation; time is never short here."""

    function_name: str
    memory_limit_in_mb: int
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:played"
    aws_request_id: str = "9e1b9b1e-6f43-4b6c-9f0f-3a1d6c2f7b10"

    def get_remaining_time_in_millis(self) -> int:
        """Answer with more time than any function needs."""
        return 900_000


@cache
def import_seconds(module: str) -> float:
    """Measure the processor time that a new process needs to import a handler."""
    script = f"import time, {module}; print(time.process_time())"
    environment = {**os.environ, "POWERTOOLS_SERVICE_NAME": "hindsight", "AUDIENCE_KEYS": "app=key"}
    printed = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    ).stdout
    return float(printed)


def functions_of(deployment: Deployment) -> Iterator[Function]:
    """List the functions of a deployment."""
    for name, properties in deployment.of("AWS::Lambda::Function").items():
        yield Function(
            name=name.removesuffix("Function"),
            deployed=deployment.resources[name]["Name"],
            module=properties["Handler"],
            memory_mb=int(properties["MemorySize"]),
            disk_mb=int(properties.get("EphemeralStorage", {}).get("Size", FREE_DISK_MB)),
            environment=properties["Environment"]["Variables"],
            layers=tuple(properties["Layers"]),
        )
