"""Lines of files as the items of a call."""

import hashlib
from typing import Any

IMPORTS = "imports/"


def identified(item: Any, file: str, line: int, text: str) -> Any:
    """Give a prediction an id: its own, else one that the same line of the same file always gets.

    A random one would store a line that is delivered again as another prediction.

    >>> identified({"score": 0.5}, "imports/a.jsonl", 1, '{"score": 0.5}')
    {'score': 0.5, 'prediction_id': 'import-eb161aead8639425ed410b32eafacab2'}
    """
    if not isinstance(item, dict) or item.get("prediction_id") is not None:
        return item
    digest = hashlib.sha256(f"{file}\n{line}\n{text}".encode()).hexdigest()
    return {**item, "prediction_id": f"{'import' if from_import(file) else 'replay'}-{digest[:32]}"}


def from_import(file: str | None) -> bool:
    """Check whether a file was uploaded for import."""
    return file is not None and file.startswith(IMPORTS)


def no_id() -> str:
    """Make up no id: every item of a file has one."""
    raise AssertionError("every prediction of a file has an id")
