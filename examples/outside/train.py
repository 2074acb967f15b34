"""A script that trains a version of its own when a run of Hindsight asks for one, and answers with its scores.

Needs ``$API``, ``$OPERATOR_KEY``, ``$MODEL``, and in ``$VERSIONS`` the folder that ``server.py`` reads. Run it by the
event ``RetrainingRequested``, or now and then: without a run that waits it does nothing. ``train.py v1 rows.parquet``
makes a first version of rows of one's own, with columns as those of a dataset: ``feature.…`` and ``label``.
"""

import json
import os
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from skops.io import dump

Features = dict[str, Any]
FEATURE = "feature."


def call(method: str, path: str, body: object = None) -> Any:
    """Call Hindsight as an operator. Raises HTTPError."""
    request = urllib.request.Request(
        f"{os.environ['API']}/models/{os.environ['MODEL']}{path}",
        None if body is None else json.dumps(body).encode(),
        {"x-api-key": os.environ["OPERATOR_KEY"], "content-type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def fit(features: Sequence[Features], labels: Sequence[int]) -> Pipeline:
    """Fit a model to rows of features."""
    model = make_pipeline(DictVectorizer(sparse=False), StandardScaler(), LogisticRegression(max_iter=1000))
    return model.fit(features, labels)


def keep(model: Pipeline, folder: Path, version: str) -> None:
    """Write a model's file where the server finds it, all of it or nothing."""
    whole = folder / f"{version}.part"
    dump(model, whole)
    whole.replace(folder / f"{version}.skops")


def fetch(url: str) -> pd.DataFrame:
    """Fetch a part of a dataset."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file, urllib.request.urlopen(url, timeout=60) as answer:
        file.write(answer.read())
        file.flush()
        return duckdb.read_parquet(file.name).df()


def features_of(frame: pd.DataFrame) -> list[Features]:
    """Read the features of a part's rows."""
    names = [name for name in frame.columns if name.startswith(FEATURE)]
    return [
        {name.removeprefix(FEATURE): value for name, value in zip(names, row, strict=True)}
        for row in frame[names].itertuples(index=False)
    ]


def register(version: str, dataset_id: str, holdout: pd.DataFrame, scores: Sequence[float]) -> str:
    """Send a version's scores of the holdout; return the gate's verdict."""
    rows = zip(holdout["prediction_id"], scores, strict=True)
    content = "\n".join(json.dumps({"prediction_id": name, "score": float(score)}) for name, score in rows)
    upload = call("POST", "/uploads")
    put = urllib.request.Request(upload["url"], content.encode(), method="PUT")
    with urllib.request.urlopen(put, timeout=60):
        pass
    body = {"version": version, "dataset_id": dataset_id, "holdout_scores_key": upload["key"]}
    return str(call("POST", "/versions", body)["verdict"])


def train(version: str, rows: pd.DataFrame) -> Pipeline:
    """Fit a version to rows with their labels, and keep it."""
    model = fit(features_of(rows), [int(label) for label in rows["label"]])
    keep(model, Path(os.environ["VERSIONS"]), version)
    return model


def answer(version: str) -> None:
    """Answer the run that waits, if there is one."""
    asked = call("GET", "")["waiting_for_version"]
    if asked is None:
        print("no run waits for a version")
        return
    parts = call("GET", f"/datasets/{asked['dataset_id']}")["parts"]
    rows, holdout = (fetch(parts[name]["url"]) for name in ("train", "holdout"))
    scores = train(version, rows).predict_proba(features_of(holdout))[:, 1]
    print(f"{version}: {register(version, asked['dataset_id'], holdout, scores)}")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        train(sys.argv[1], duckdb.read_parquet(sys.argv[2]).df())
    else:
        answer(sys.argv[1])
