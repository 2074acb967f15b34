"""Judge a model of yours: score a dataset's holdout here, register the version, print the gate's verdict."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from local.state import StateFolder

if TYPE_CHECKING:
    from local.scorers import Scorer

REJECTED = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--model", required=True, help="the model")
    parser.add_argument("--version", help="the name of the version to register (the model's, and the time)")
    scorer = parser.add_mutually_exclusive_group(required=True)
    scorer.add_argument("--python", metavar="MODULE:FUNCTION", help="a function from a pandas frame to scores")
    scorer.add_argument("--mlflow", metavar="URI", help="an MLflow model, such as models:/churn/3")
    scorer.add_argument("--onnx", metavar="FILE", type=Path, help="an ONNX file")
    parser.add_argument("--dataset", help="the dataset (that a run waits for, else the newest)")
    parser.add_argument("--description", help="what the version is")
    parser.add_argument("--port", type=int, help="of the stack (the newest that is up), where API is not set")


def run(arguments: argparse.Namespace) -> int:
    """Judge; fail with 3 if the gate rejects the version, with 1 if it could not be judged."""
    from hindsight.core.errors import HindsightError
    from local.judge import Judge, verdict_lines
    from local.stack import operator_client

    try:
        scorer = _scorer(arguments)
        judge = Judge(operator_client(StateFolder(arguments.state), arguments.port), arguments.model)
        holdout = judge.holdout(arguments.dataset)
        print(f"{holdout.dataset_id}: {len(holdout.prediction_ids)} rows of the holdout", file=sys.stderr)
        name = arguments.version or f"{arguments.model}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        version = judge.register(name, holdout, scorer, arguments.description)
    except HindsightError as error:
        print(error.message, file=sys.stderr)
        return 1
    for line in verdict_lines(version):
        print(line)
    return 0 if version["gate"]["verdict"] == "promote" else REJECTED


def _scorer(arguments: argparse.Namespace) -> "Scorer":
    from local.scorers import mlflow_scorer, onnx_scorer, python_scorer

    if arguments.python is not None:
        return python_scorer(arguments.python, Path.cwd())
    return mlflow_scorer(arguments.mlflow) if arguments.mlflow is not None else onnx_scorer(arguments.onnx)
