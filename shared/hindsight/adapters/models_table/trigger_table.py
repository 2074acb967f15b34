"""Trigger states and decisions in the models table."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import from_item, put, query_all, to_item, transact
from hindsight.core.errors import Unavailable
from hindsight.core.times import format_time
from hindsight.triggers.decision import Decision
from hindsight.triggers.rows import state_from_row, state_to_row
from hindsight.triggers.state import (
    Conclusion,
    OpenRun,
    TriggerState,
    concluded,
    lease_extended,
    rolled_back,
    trusted,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_STATE = "triggers"
_DECISION = "decision#"
_LOOK = "last-look"
_ATTEMPTS = 10


class DynamoTriggers:
    """One state item, one last look and many decision items a model; see ``hindsight.triggers.store.TriggerStore``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def load(self, model: str) -> TriggerState:
        """Return a model's state, a new one if it has none yet."""
        row = self._get(model, _STATE)
        return TriggerState(model=model) if row is None else state_from_row(model, row)

    def record(self, decision: Decision, state: TriggerState, expected_version: int) -> bool:
        """Store a decision and the state it leads to, both or neither; False if another writer was faster."""
        key = {"pk": decision.model, "sk": _decision_key(decision.at, decision.decision_id)}
        stored: TransactWriteItemTypeDef = {
            "Put": {"TableName": self._table, "Item": to_item({**decision.to_json(), **key})}
        }
        return transact(self._client, [self._put_state(state, expected_version), stored]) is None

    def extend_lease(self, model: str, fencing_token: int, until: datetime) -> bool:
        """Let the run of a token hold the lock until a moment, at least; False if it does not hold it (any more)."""
        for _ in range(_ATTEMPTS):
            before = self.load(model)
            after = lease_extended(before, fencing_token, until)
            if after is None:
                return False
            # Through the state's version: a decision made from the state before would put the old lease back.
            if transact(self._client, [self._put_state(after, before.version)]) is None:
                return True
        raise Unavailable(f"the trigger state of {model!r} keeps being changed by others")

    def conclude(self, model: str, fencing_token: int, conclusion: Conclusion) -> bool:
        """Release the lock the token holds and note the outcome on the decision; False if it does not hold it."""
        for _ in range(_ATTEMPTS):
            before = self.load(model)
            after = concluded(before, fencing_token, conclusion)
            if after is None or before.open_run is None:
                return False
            outcome = self._put_outcome(model, before.open_run, conclusion)
            if transact(self._client, [self._put_state(after, before.version), outcome]) is None:
                return True
        raise Unavailable(f"the trigger state of {model!r} keeps being changed by others")

    def note_rollback(self, model: str, at: datetime) -> bool:
        """Back off from a version that was taken back at a moment; False if it was noted before."""
        return self._change(model, partial(rolled_back, at=at))

    def note_trust(self, model: str, at: datetime) -> bool:
        """End the back-off from rollbacks; False where there is none to end."""
        return self._change(model, partial(trusted, at=at))

    def decisions(self, model: str, limit: int) -> list[Decision]:
        """Return at most ``limit`` decisions, newest first."""
        found: list[Decision] = []
        for row in query_all(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :model AND begins_with(sk, :decision)",
            ExpressionAttributeValues=to_item({":model": model, ":decision": _DECISION}),
            ScanIndexForward=False,
            PaginationConfig={"PageSize": limit},
        ):
            found.append(Decision.from_json(row))
            if len(found) >= limit:
                break
        return found

    def decision(self, model: str, at: datetime, decision_id: str) -> Decision | None:
        """Return one decision, None if there is none."""
        row = self._get(model, _decision_key(at, decision_id))
        return None if row is None else Decision.from_json(row)

    def note_look(self, look: Decision) -> None:
        """Keep what a scheduled check decided, unless a later one is kept: a replayed check must not hide it."""
        put(
            self._client,
            TableName=self._table,
            Item=to_item({**look.to_json(), "pk": look.model, "sk": _LOOK}),
            ConditionExpression="attribute_not_exists(pk) OR #at <= :at",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues=to_item({":at": format_time(look.at)}),
        )

    def last_look(self, model: str) -> Decision | None:
        """Return what the newest scheduled check decided, None before the first."""
        row = self._get(model, _LOOK)
        return None if row is None else Decision.from_json(row)

    def _change(self, model: str, change: Callable[[TriggerState], TriggerState | None]) -> bool:
        for _ in range(_ATTEMPTS):
            before = self.load(model)
            after = change(before)
            if after is None:
                return False
            if transact(self._client, [self._put_state(after, before.version)]) is None:
                return True
        raise Unavailable(f"the trigger state of {model!r} keeps being changed by others")

    def _put_state(self, state: TriggerState, expected_version: int) -> "TransactWriteItemTypeDef":
        # Two checks at once both see no open run; the one whose version is taken loses, and looks again.
        put: Any = {
            "TableName": self._table,
            "Item": to_item({"pk": state.model, "sk": _STATE, **state_to_row(state)}),
            "ConditionExpression": "attribute_not_exists(pk)" if expected_version == 0 else "state_version = :expected",
        }
        if expected_version:
            put["ExpressionAttributeValues"] = to_item({":expected": expected_version})
        return {"Put": put}

    def _put_outcome(self, model: str, run: OpenRun, conclusion: Conclusion) -> "TransactWriteItemTypeDef":
        values = {
            "outcome": conclusion.outcome,
            "outcome_reason": conclusion.reason or None,
            "outcome_version": conclusion.version,
            "concluded_at": format_time(conclusion.at),
        }
        given = {name: value for name, value in values.items() if value is not None}
        return {
            "Update": {
                "TableName": self._table,
                "Key": to_item({"pk": model, "sk": _decision_key(run.started_at, run.decision_id)}),
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in given),
                "ExpressionAttributeNames": {f"#{name}": name for name in given},
                "ExpressionAttributeValues": to_item({f":{name}": value for name, value in given.items()}),
            }
        }

    def _get(self, model: str, sort_key: str) -> dict[str, Any] | None:
        answer = self._client.get_item(
            TableName=self._table, Key=to_item({"pk": model, "sk": sort_key}), ConsistentRead=True
        )
        return from_item(answer["Item"]) if "Item" in answer else None


def _decision_key(at: datetime, decision_id: str) -> str:
    return f"{_DECISION}{format_time(at)}#{decision_id}"
