"""Train one candidate in a SageMaker training job: the step of the state machine, configured by hyper-parameters.

Started as ``python -m functions.train.job``. The artefact goes where the step would put it; what the step would
return lies as JSON under ``training-jobs/``, where the step collects it.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from functions.train.app import train
from hindsight.bootstrap import stores
from hindsight.core import compact_json
from hindsight.lake.object_store import training_job_key

CONTAINER = Path("/opt/ml")
_MAX_REASON = 1000


def main(folder: Path = CONTAINER) -> int:
    """Train what the job's hyper-parameters name; return the process's exit code, having said why if it is not 0."""
    try:
        parameters = json.loads((folder / "input/config/hyperparameters.json").read_text(encoding="utf-8"))
        run_job(parameters)
    except Exception as error:  # noqa: BLE001  SageMaker shows the reason of any failure from this file
        reason = f"{type(error).__name__}: {error}"[:_MAX_REASON]
        (folder / "output").mkdir(parents=True, exist_ok=True)
        (folder / "output/failure").write_text(reason, encoding="utf-8")
        return 1
    return 0


def run_job(parameters: Mapping[str, str]) -> None:
    """Train, and leave in the lake what the step collects; SageMaker's parameters are all text."""
    trained = train(parameters)
    key = training_job_key(parameters["model"], parameters["decision_id"], parameters["candidate"])
    stores.lake().write_bytes(key, compact_json.dumps(trained).encode(), "application/json")


if __name__ == "__main__":
    sys.exit(main())
