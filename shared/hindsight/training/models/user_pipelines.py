"""User-defined pipelines: functions of the folder ``pipelines/``, named by the configuration.

A configuration can name functions of that folder only. Errors show their kind and place, not their text, which may
hold values of rows.
"""

import importlib
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hindsight.core.errors import UnusablePipeline
from hindsight.registry.schema import Schema
from hindsight.training.models.candidates import fit
from hindsight.training.models.trusted_types import PACKAGE

Builder = Callable[[Schema, pd.DataFrame, int], Any]


def find_builder(name: str) -> Builder:
    """Find the function that ``module:function`` names. Raises UnusablePipeline."""
    module_name, _, function_name = name.partition(":")
    try:
        module = importlib.import_module(f"{PACKAGE}.{module_name}")
    except Exception as error:  # noqa: BLE001  user code raises anything
        raise UnusablePipeline(f"{PACKAGE}.{module_name} cannot be imported: {_summary(error)}") from None
    builder: Builder | None = getattr(module, function_name, None)
    if not callable(builder):
        raise UnusablePipeline(f"{PACKAGE}.{module_name} has no function {function_name!r}")
    return builder


def build_user_pipeline(name: str, schema: Schema, frame: pd.DataFrame, seed: int) -> Any:
    """Build the untrained pipeline by its function from a schema, the rows to train on and a seed.

    Raises UnusablePipeline if there is no such function, it fails, or its pipeline does not fit the task.
    """
    builder = find_builder(name)
    try:
        pipeline = builder(schema, frame, seed)
    except Exception as error:  # noqa: BLE001  user code raises anything
        raise UnusablePipeline(f"{name} failed: {_summary(error)}") from None
    needed = ("fit", "predict_proba", "get_params") if schema.classes else ("fit", "predict", "get_params")
    missing = [method for method in needed if not callable(getattr(pipeline, method, None))]
    if missing:
        raise UnusablePipeline(f"the pipeline of {name} has no {', '.join(missing)}")
    return pipeline


def fit_user_pipeline(
    pipeline: Any, frame: pd.DataFrame, targets: npt.NDArray[Any], weights: npt.NDArray[np.float64] | None
) -> Any:
    """Train a pipeline as built-in ones are. Raises UnusablePipeline if it fails."""
    try:
        return fit(pipeline, frame, targets, weights)
    except Exception as error:  # noqa: BLE001  user code raises anything
        raise UnusablePipeline(f"the pipeline cannot be trained: {_summary(error)}") from None


def _summary(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"there is no module {error.name!r}"
    return f"{type(error).__name__}{_place(error.__traceback__)}"


def _place(raised: TracebackType | None) -> str:
    """Format the innermost line of the deployment's own code that an error passed; empty if there is none."""
    own = [frame for frame in traceback.extract_tb(raised) if PACKAGE in Path(frame.filename).parts]
    return f" at {PACKAGE}/{Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
