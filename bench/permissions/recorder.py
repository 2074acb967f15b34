"""The embedded AWS, which notes of every request that a policy allows by which statements it does.

A process started by its path, as the plain server is, and in all else the same; the notes go to the file that
``PERMISSIONS_RECORD`` names, a line a kind.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

# Functions inherit the environment, and must not find the checkout: so PYTHONPATH does not name it.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from ministack.core import iam_evaluator  # noqa: E402

from bench.permissions import RECORD_VARIABLE  # noqa: E402
from local.forked import serve  # noqa: E402

_evaluate = iam_evaluator.evaluate
_seen = set[tuple[str, str, tuple[int, ...]]]()


def evaluate(ctx: Any, policies: Any, *limits: Any) -> Any:
    """Judge as ever, and note the first request of each kind: of one role, to one action, by the same statements."""
    result = _evaluate(ctx, policies, *limits)
    if result.decision == "Allow" and ctx.principal_type == "AssumedRole":
        statements = [statement for policy in policies for statement in policy]
        matching = tuple(
            place
            for place, statement in enumerate(statements)
            if iam_evaluator._first_match(ctx, [statement], "Allow") is not None
        )
        kind = (ctx.principal_arn.split("/")[1], ctx.action, matching)
        if kind not in _seen:
            _seen.add(kind)
            note = {
                "role": kind[0],
                "action": ctx.action,
                "resource": ctx.resource_arn,
                "statements": matching,
                "context": {name: value for name, value in ctx.service_context.items() if value is not None},
            }
            with Path(os.environ[RECORD_VARIABLE]).open("a", encoding="utf-8") as record:
                record.write(json.dumps(note, default=str, sort_keys=True) + "\n")
    return result


if __name__ == "__main__":
    iam_evaluator.evaluate = evaluate
    serve.main()
