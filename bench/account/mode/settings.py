"""The settings of an account, as numbers with their sources."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

VARIABLE = "ACCOUNT_MODE"
# The file beside the server that the starts of workers are noted in.
STARTS = "starts.jsonl"

KIB, MIB = 1024, 1024 * 1024
# API Gateway quotas: integration timeout of a REST API.
INTEGRATION_SECONDS = 29.0
# Step Functions quotas: input or output of a state, and events in the history of a standard workflow.
STATE_BYTES, HISTORY_EVENTS = 256 * KIB, 25_000

# A call's seconds, least and most, by service as its signature names it.
LATENCIES: Mapping[str, tuple[float, float]] = {
    "dynamodb": (0.005, 0.015),
    "s3": (0.015, 0.040),
    "firehose": (0.010, 0.030),
    "sqs": (0.005, 0.020),
    "events": (0.010, 0.030),
    "sns": (0.010, 0.030),
    "states": (0.020, 0.060),
    "lambda": (0.005, 0.020),
    "secretsmanager": (0.010, 0.030),
    "apigateway": (0.050, 0.100),
    "monitoring": (0.010, 0.030),
    "athena": (0.050, 0.150),
}


@dataclass(frozen=True)
class Mode:
    """An account: ``pace`` shortens what is waited for (batching windows, buffers of Firehose), 1 is as AWS waits."""

    concurrency: int = 10
    shards: int = 4
    firehose_bytes_per_second: int = MIB
    firehose_requests_per_second: int = 1000
    integration_seconds: float = INTEGRATION_SECONDS
    history_events: int = HISTORY_EVENTS
    pace: float = 1.0
    # A new worker of the warm pool; what a function's own layers add, by the megabyte that has to be laid out.
    start_seconds: float = 0.2
    layout_megabytes_per_second: float = 88.0
    # Unzipped megabytes of the layers that are a function's own, by its logical id.
    layer_megabytes: Mapping[str, float] = field(default_factory=dict)
    # What a version with SnapStart takes to be restored.
    restore_seconds: float = 0.4
    latencies: Mapping[str, tuple[float, float]] = field(default_factory=lambda: dict(LATENCIES))

    def environment(self) -> dict[str, str]:
        """Build the variables that configure a server's mode."""
        return {VARIABLE: json.dumps(asdict(self)), "LAMBDA_ACCOUNT_CONCURRENCY": str(self.concurrency)}

    @classmethod
    def of_environment(cls) -> "Mode":
        """Read the mode from the environment."""
        return cls(**json.loads(os.environ.get(VARIABLE, "{}")))
