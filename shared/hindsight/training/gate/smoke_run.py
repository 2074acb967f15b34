"""The run of a saved artefact in a process without memory of its training, ``python -m``, in a folder.

The folder holds ``model.skops`` and ``request.json`` (``digest``, ``rows`` of features); ``answer.json`` is written to
it. The process needs no AWS, no environment and no network.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from hindsight.core.errors import UnusableArtifact
from hindsight.registry.schema import Schema
from hindsight.training.gate.serving_probes import unserved_input
from hindsight.training.models.artifact import artifact_digest, parse_artifact
from hindsight.training.models.scoring import LoadedVersion, RowPrediction

ARTIFACT, REQUEST, ANSWER = "model.skops", "request.json", "answer.json"

_TIMED_CALLS = 5

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeRun:
    """The schema read, the predictions for the rows, and the seconds that loading and one row take.

    ``unserved`` is an input that serving may be given and the version cannot answer, None if there is none.
    """

    schema: Schema
    predictions: Sequence[RowPrediction]
    load_seconds: float
    row_seconds: float
    unserved: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Convert the run to JSON objects."""
        predictions = [[prediction.score, prediction.decision] for prediction in self.predictions]
        times = {"load_seconds": self.load_seconds, "row_seconds": self.row_seconds}
        return {"schema": self.schema.to_json(), "predictions": predictions, "unserved": self.unserved, **times}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "SmokeRun":
        """Read a run from JSON objects."""
        return cls(
            schema=Schema.from_json(document["schema"]),
            predictions=[RowPrediction(score, decision) for score, decision in document["predictions"]],
            load_seconds=document["load_seconds"],
            row_seconds=document["row_seconds"],
            unserved=document["unserved"],
        )


def smoke_run(content: bytes, digest: str, rows: Rows, stopwatch: Callable[[], float]) -> SmokeRun:
    """Load an artefact, predict rows and time one; ``stopwatch`` returns seconds from any start.

    Raises UnusableArtifact if it is not the one the digest names, cannot be loaded or cannot score.
    """
    if artifact_digest(content) != digest:
        raise UnusableArtifact("the artefact is not the one that was registered")
    start = stopwatch()
    loaded = parse_artifact(content)
    load_seconds = stopwatch() - start
    predictions = loaded.score(rows)
    row_seconds = median(_time(loaded, rows[:1], stopwatch) for _ in range(_TIMED_CALLS))
    return SmokeRun(
        schema=loaded.schema,
        predictions=predictions,
        load_seconds=load_seconds,
        row_seconds=row_seconds,
        unserved=unserved_input(loaded, rows),
    )


def _time(loaded: LoadedVersion, rows: Rows, stopwatch: Callable[[], float]) -> float:
    start = stopwatch()
    loaded.score(rows)
    return stopwatch() - start


def main(folder: Path) -> None:
    """Run the request in a folder."""
    request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    try:
        run = smoke_run((folder / ARTIFACT).read_bytes(), request["digest"], request["rows"], perf_counter)
        answer = run.to_json()
    except UnusableArtifact as error:
        answer = {"unusable": error.message}
    (folder / ANSWER).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
