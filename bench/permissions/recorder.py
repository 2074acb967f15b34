"""The embedded AWS, which notes of every request that a policy allows by which statements it does.

``python -m bench.permissions.recorder``; the notes go to the file that ``PERMISSIONS_RECORD`` names, a line a kind.
"""

import json
import os
from pathlib import Path
from typing import Any

from ministack.app import main
from ministack.core import iam_evaluator

from bench.permissions import RECORD_VARIABLE
from local.forked import workers

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
    workers.install()
    main()
