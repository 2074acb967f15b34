"""Scoring a holdout with a model of one's own: what is sent, and one clear line for each mistake."""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hindsight.config.metrics import Task
from local.client import CallFailed
from local.commands.judge import REJECTED
from local.commands.judge import run as run_judge
from local.judge import Holdout, Judge, NotJudged, verdict_lines
from local.scorers import Scorer, UnusableScores, answers_of, mlflow_scorer, onnx_scorer, python_scorer

FRAME = pd.DataFrame({"temperature": [0.5, np.nan, 2.0], "hour": ["8", None, "17"]})


def scores(returned: Any, task: Task = Task.BINARY) -> list[dict[str, Any]]:
    return answers_of(Scorer("mine:predict", lambda _frame: returned), FRAME, task)


@pytest.mark.parametrize(
    "returned",
    [
        [0.1, 0.5, 0.9],
        np.array([[0.1], [0.5], [0.9]]),
        np.array([[0.9, 0.1], [0.5, 0.5], [0.1, 0.9]]),
        pd.Series([0.1, 0.5, 0.9]),
        pd.DataFrame({"score": [0.1, 0.5, 0.9]}),
    ],
)
def test_scores_may_come_in_any_usual_shape(returned: Any) -> None:
    assert [answer["score"] for answer in scores(returned)] == [0.1, 0.5, 0.9]


def test_frame_of_classes_gives_decision_and_probabilities() -> None:
    found = scores(pd.DataFrame({"up": [0.7, 0.2, 0.5], "down": [0.3, 0.8, 0.5]}), Task.MULTICLASS)
    assert found[1] == {"score": 0.8, "decision": "down", "probabilities": {"up": 0.2, "down": 0.8}}


@pytest.mark.parametrize(
    ("returned", "task", "message"),
    [
        ([0.1, 0.5], Task.BINARY, "mine:predict returned shape (2,) for 3 rows, (3,) is wanted"),
        ([0.1, np.nan, np.nan], Task.BINARY, "mine:predict returned NaN or an infinity for 2 rows, row 2 first"),
        ([0.1, 0.5, 1.5], Task.BINARY, "mine:predict returned no probability for 1 rows, row 3 first"),
        (["a", "b", "c"], Task.BINARY, "mine:predict returned list, which are no numbers"),
        ([0.1, 0.5, 0.9], Task.MULTICLASS, "mine:predict returned list, not a frame with a column for each class"),
        (np.zeros((3, 3)), Task.REGRESSION, "mine:predict returned shape (3, 3) for 3 rows"),
    ],
)
def test_answer_that_cannot_be_scores_is_named_in_one_line(returned: Any, task: Task, message: str) -> None:
    with pytest.raises(UnusableScores) as refused:
        scores(returned, task)
    assert refused.value.message.startswith(message)


def test_python_function_is_loaded_from_the_folder_or_its_fault_is_named(tmp_path: Path) -> None:
    (tmp_path / "scorer_of_mine.py").write_text("def predict(frame):\n    return frame['temperature'] * 1\n")
    (tmp_path / "scorer_that_breaks.py").write_text("import nowhere_to_be_found\n")
    assert python_scorer("scorer_of_mine:predict", tmp_path)(FRAME).tolist()[0] == 0.5
    for named, message in (
        ("scorer_of_mine", "--python takes module:function"),
        ("scorer_of_mine:absent", "scorer_of_mine has no function 'absent'"),
        ("scorer_absent:predict", "scorer_absent cannot be imported: ModuleNotFoundError"),
        ("scorer_that_breaks:predict", "scorer_that_breaks cannot be imported: ModuleNotFoundError"),
    ):
        with pytest.raises(UnusableScores, match=message):
            python_scorer(named, tmp_path)
    with pytest.raises(UnusableScores, match="mine failed: KeyError: 'humidity'"):
        Scorer("mine", lambda frame: frame["humidity"])(FRAME)


def test_optional_packages_are_named_if_they_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "mlflow.pyfunc", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UnusableScores, match="mlflow is not installed: pip install mlflow"):
        mlflow_scorer("models:/churn/3")
    with pytest.raises(UnusableScores, match="onnxruntime is not installed"):
        onnx_scorer(tmp_path / "churn.onnx")


@pytest.mark.parametrize("names", [["temperature", "hour"], ["input"]])
def test_onnx_inputs_are_features_or_one_matrix(names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    fed = dict[str, Any]()

    class Session:
        def get_inputs(self) -> list[SimpleNamespace]:
            kinds = {"hour": "tensor(string)"}
            return [SimpleNamespace(name=name, type=kinds.get(name, "tensor(float)")) for name in names]

        def run(self, _outputs: None, inputs: dict[str, Any]) -> list[Any]:
            fed.update(inputs)
            return [np.zeros(3), [{0: 0.9, 1: 0.1}] * 3]

    runtime = ModuleType("onnxruntime")
    runtime.InferenceSession = lambda _path: Session()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    frame = FRAME if len(names) > 1 else FRAME[["temperature"]]
    found = answers_of(onnx_scorer(Path("churn.onnx")), frame, Task.BINARY)
    assert [answer["score"] for answer in found] == [0.1] * 3
    assert {name: array.shape for name, array in fed.items()} == dict.fromkeys(names, (3, 1))
    if len(names) > 1:
        assert fed["hour"].tolist() == [["8"], [""], ["17"]]


class Stack:
    """The routes of one model with one dataset."""

    def __init__(self, verdict: str = "promote", waiting: str | None = None) -> None:
        self.calls: list[tuple[str, str]] = []
        self.uploaded = b""
        self.answers: dict[str, Any] = {
            "": {"waiting_for_version": waiting and {"dataset_id": waiting}},
            "/datasets?limit=1": {"datasets": [{"dataset_id": "d-newest"}]},
            "/uploads": {"key": "uploads/model=churn/1", "url": "https://lake/1"},
            "/versions": {"version": "v7", "verdict": verdict, "decision_id": "retrain-1"},
            "/versions/v7": {
                "version": "v7",
                "gate": {
                    "verdict": verdict,
                    "checks": [{"name": "floor", "passed": verdict == "promote", "detail": "roc_auc is 0.8"}],
                    "notes": ["no smoke test"],
                    "compared_with": "v6",
                },
            },
        }

    def call(self, method: str, path: str, *, key: str, json: Any = None) -> Any:
        assert key == "operator"
        self.calls.append((method, path))
        found = path.removeprefix("models/churn")
        if found not in self.answers:
            raise CallFailed(f"{method} /{path} answered 404")
        return self.answers[found]

    def upload(self, _url: str, content: bytes) -> None:
        self.uploaded = content


HOLDOUT = Holdout("d1", Task.BINARY, ["a", "b", "c"], FRAME)


def test_scores_are_uploaded_and_the_verdict_is_printed_check_by_check() -> None:
    stack = Stack()
    judge = Judge(stack, "churn")  # type: ignore[arg-type]
    version = judge.register("v7", HOLDOUT, Scorer("mine", lambda _frame: [0.1, 0.5, 0.9]), "deeper")
    rows = [json.loads(line) for line in stack.uploaded.splitlines()]
    assert rows == [{"prediction_id": name, "score": score} for name, score in zip("abc", (0.1, 0.5, 0.9), strict=True)]
    assert list(verdict_lines(version)) == [
        "passed  floor: roc_auc is 0.8",
        "note    no smoke test",
        "v7: promote, compared with v6; the run retrain-1 goes on with it",
    ]


@pytest.mark.parametrize(("waiting", "asked"), [("d-waiting", "d-waiting"), (None, "d-newest")])
def test_dataset_is_the_one_that_a_run_waits_for_else_the_newest(waiting: str | None, asked: str) -> None:
    stack = Stack(waiting=waiting)
    with pytest.raises(CallFailed):
        Judge(stack, "churn").holdout(None)  # type: ignore[arg-type]
    assert stack.calls[-1] == ("GET", f"models/churn/datasets/{asked}")
    stack.answers["/datasets?limit=1"] = {"datasets": []}
    stack.answers[""] = {"waiting_for_version": None}
    with pytest.raises(NotJudged, match="churn has no dataset yet"):
        Judge(stack, "churn").holdout(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("verdict", "status"), [("promote", 0), ("reject", REJECTED)])
def test_command_ends_by_the_verdict(
    verdict: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "scorer_of_command.py").write_text("def predict(frame):\n    return [0.1] * len(frame)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("local.stack.operator_client", lambda _state, _port: Stack(verdict))
    monkeypatch.setattr(Judge, "holdout", lambda _judge, _dataset: HOLDOUT)
    given = {"model": "churn", "version": "v7", "dataset": None, "description": None, "port": None, "state": tmp_path}
    arguments: Any = SimpleNamespace(**given, python="scorer_of_command:predict", mlflow=None, onnx=None)
    assert run_judge(arguments) == status
    assert f"v7: {verdict}" in capsys.readouterr().out
    arguments.python = "scorer_of_command:absent"
    assert run_judge(arguments) == 1
    assert capsys.readouterr().err == "scorer_of_command has no function 'absent'\n"
