"""A Lambda function that follows a model's pointer, to copy into your account (docs/deployment.md).

An event of the bus only asks for a look: it may come twice, late, or not at all. What runs, and in which order, goes by
the list of the pointer's moves. Needs ``$API``, ``$OPERATOR_KEY``, ``$MODEL``, and in ``$DONE`` the name of a parameter
of SSM with the number of the last move that is done; one run at a time, which keeps the order.
"""

import json
import os
import urllib.request
from typing import Any
from urllib.parse import quote

import boto3

MOST_MOVES = 1000


def handler(_event: Any, _context: Any) -> dict[str, int]:
    """Deploy for each move since the last that is done, in order; one that fails is tried at the next look again.

    Unless the pointer has moved on: a server that cannot be given a version must not keep a rollback waiting.
    """
    memory, name = boto3.client("ssm"), os.environ["DONE"]
    moves = moves_since(int(memory.get_parameter(Name=name)["Parameter"]["Value"]))
    for made in moves:
        try:
            deploy(made)
        except Exception as error:  # whatever it is: the newest move alone is worth waiting for
            if made is moves[-1]:
                raise
            print(f"{made['sequence']}: given up, the pointer has moved on: {error}")
        memory.put_parameter(Name=name, Value=str(made["sequence"]), Overwrite=True)
    return {"moves": len(moves)}


def deploy(made: dict[str, Any]) -> None:
    """Give your server what the move asks for; doing it again must be safe. Yours to write."""
    print(f"{made['sequence']}: {made['change']}, {made['to']} serves, beside it {made.get('challenger')}")


def moves_since(done: int) -> list[dict[str, Any]]:
    """List the moves behind one, oldest first, at most the newest thousand. Raises OSError."""
    request = urllib.request.Request(
        f"{os.environ['API']}/models/{quote(os.environ['MODEL'])}/deployments?limit={MOST_MOVES}",
        headers={"x-api-key": os.environ["OPERATOR_KEY"]},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        newest_first = json.load(answer)["deployments"]
    return [made for made in reversed(newest_first) if made["sequence"] > done]
