"""Scorers of a holdout's rows: a Python function, an MLflow model or an ONNX file; and their answers, checked."""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hindsight.config.metrics import Task
from hindsight.core.errors import HindsightError

_DIMENSIONS = 2


class UnusableScores(HindsightError):
    """The scorer cannot be loaded, or what it returns cannot be scores; the message says what to mend."""

    code = "unusable_scores"


class Scorer:
    """A named function from a frame of features to scores."""

    def __init__(self, name: str, predict: Callable[[pd.DataFrame], Any]) -> None:
        self.name = name
        self._predict = predict

    def __call__(self, frame: pd.DataFrame) -> Any:
        """Score each row of a frame. Raises UnusableScores with the error of the model."""
        try:
            return self._predict(frame)
        except Exception as error:
            raise UnusableScores(f"{self.name} failed: {type(error).__name__}: {error}") from error


def python_scorer(named: str, folder: Path) -> Scorer:
    """Load ``module:function``, the module from a folder or as it is installed. Raises UnusableScores."""
    module_name, _, function_name = named.partition(":")
    if not module_name or not function_name:
        raise UnusableScores(f"--python takes module:function, such as mine:predict, not {named!r}")
    sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise UnusableScores(f"{module_name} cannot be imported: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(folder))
    function = getattr(module, function_name, None)
    if not callable(function):
        raise UnusableScores(f"{module_name} has no function {function_name!r}")
    return Scorer(named, function)


def mlflow_scorer(uri: str) -> Scorer:
    """Load an MLflow model by its address. Raises UnusableScores."""
    pyfunc = _imported("mlflow.pyfunc", "mlflow")
    try:
        return Scorer(uri, pyfunc.load_model(uri).predict)
    except Exception as error:
        raise UnusableScores(f"{uri} cannot be loaded: {type(error).__name__}: {error}") from error


def onnx_scorer(path: Path) -> Scorer:
    """Load an ONNX file, whose inputs are named as features, or one input of all of them. Raises UnusableScores."""
    runtime = _imported("onnxruntime", "onnxruntime")
    try:
        session = runtime.InferenceSession(str(path))
    except Exception as error:
        raise UnusableScores(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error

    def predict(frame: pd.DataFrame) -> Any:
        outputs = session.run(None, _inputs(session.get_inputs(), frame))
        # A classifier answers its decisions first, then its probabilities.
        found = outputs[-1]
        return pd.DataFrame(found) if isinstance(found, list) else found

    return Scorer(str(path), predict)


def answers_of(scorer: Scorer, frame: pd.DataFrame, task: Task) -> list[dict[str, Any]]:
    """Score a frame; list each row's score, and for several classes its decision and probabilities.

    Raises UnusableScores for what is not one finite answer a row, or no probability where it must be one.
    """
    found = scorer(frame)
    if task is Task.MULTICLASS:
        return list(_classes(scorer.name, found, len(frame)))
    scores = _floats(scorer.name, found)
    if scores.ndim == _DIMENSIONS and scores.shape[1] == _DIMENSIONS and task is Task.BINARY:
        scores = scores[:, 1]  # as predict_proba answers
    elif scores.ndim == _DIMENSIONS and scores.shape[1] == 1:
        scores = scores[:, 0]
    _require(scorer.name, scores, (len(frame),), is_share=task is Task.BINARY)
    return [{"score": score} for score in scores.tolist()]


def _classes(name: str, found: Any, rows: int) -> Iterator[dict[str, Any]]:
    if not isinstance(found, pd.DataFrame):
        raise UnusableScores(f"{name} returned {type(found).__name__}, not a frame with a column for each class")
    classes = [str(column) for column in found.columns]
    table = _floats(name, found)
    _require(name, table, (rows, len(classes)), is_share=True)
    for chances in table:
        place = int(chances.argmax())
        probabilities = dict(zip(classes, chances.tolist(), strict=True))
        yield {"score": float(chances[place]), "decision": classes[place], "probabilities": probabilities}


def _floats(name: str, found: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        return np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UnusableScores(f"{name} returned {type(found).__name__}, which are no numbers: {error}") from error


def _require(name: str, scores: Any, shape: tuple[int, ...], *, is_share: bool) -> None:
    if scores.shape != shape:
        raise UnusableScores(f"{name} returned shape {scores.shape} for {shape[0]} rows, {shape} is wanted")
    places = np.flatnonzero(~np.isfinite(scores).reshape(shape[0], -1).all(axis=1))
    if len(places):
        raise UnusableScores(f"{name} returned NaN or an infinity for {len(places)} rows, row {places[0] + 1} first")
    if is_share and len(places := np.flatnonzero(((scores < 0) | (scores > 1)).reshape(shape[0], -1).any(axis=1))):
        raise UnusableScores(f"{name} returned no probability for {len(places)} rows, row {places[0] + 1} first")


def _inputs(wanted: Any, frame: pd.DataFrame) -> Mapping[str, Any]:
    """Build the inputs that a session names: a column each, or one matrix of all numbers."""
    names = [one.name for one in wanted]
    if set(names) <= set(frame.columns):
        return {one.name: _column(frame[one.name], one.type) for one in wanted}
    if len(names) == 1:
        return {names[0]: frame.to_numpy(dtype=np.float32)}
    raise UnusableScores(f"the inputs {', '.join(names)} are not the features {', '.join(frame.columns)}")


def _column(values: "pd.Series[Any]", kind: str) -> Any:
    texts = kind == "tensor(string)"
    dtype = np.str_ if texts else {"tensor(double)": np.float64, "tensor(int64)": np.int64}.get(kind, np.float32)
    filled = values.fillna("") if texts else values
    return filled.to_numpy().astype(object if texts else dtype).reshape(-1, 1)


def _imported(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UnusableScores(f"{package} is not installed: pip install {package}") from error
