"""Approvals in the models table."""

from itertools import islice
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import from_item, put, query_all, to_item
from hindsight.core.times import format_time, parse_time
from hindsight.rollout.approval.approval import Answer, Approval

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_APPROVAL = "approval#"


class DynamoApprovals:
    """One item a version that people were asked about; see ``hindsight.rollout.approval.store.ApprovalStore``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def load(self, model: str, version: str) -> Approval | None:
        """Return what was asked about a version, None if nothing was."""
        answer = self._client.get_item(
            TableName=self._table, Key=to_item({"pk": model, "sk": _APPROVAL + version}), ConsistentRead=True
        )
        return _from_row(from_item(answer["Item"])) if "Item" in answer else None

    def save(self, approval: Approval) -> bool:
        """Store an approval one revision after the stored one, the first where none is; False if another was faster."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if approval.revision > 1:
            condition = {
                "ConditionExpression": "revision = :before",
                "ExpressionAttributeValues": to_item({":before": approval.revision - 1}),
            }
        return put(self._client, TableName=self._table, Item=to_item(_to_row(approval)), **condition) is None

    def newest(self, model: str, limit: int) -> list[Approval]:
        """Return at most ``limit`` approvals, newest first."""
        found = query_all(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :model AND begins_with(sk, :approval)",
            ExpressionAttributeValues=to_item({":model": model, ":approval": _APPROVAL}),
            ScanIndexForward=False,
            PaginationConfig={"PageSize": max(1, limit)},
        )
        return [_from_row(row) for row in islice(found, limit)]


def _to_row(approval: Approval) -> dict[str, Any]:
    return {
        "pk": approval.model,
        "sk": _APPROVAL + approval.version,
        "version": approval.version,
        "decision_id": approval.decision_id,
        "requested_at": format_time(approval.requested_at),
        "waits_until": format_time(approval.expires_at),
        "task_token": approval.task_token,
        "answer": None if approval.answer is None else approval.answer.to_json(),
        "revision": approval.revision,
    }


def _from_row(row: dict[str, Any]) -> Approval:
    return Approval(
        model=row["pk"],
        version=row["version"],
        decision_id=row["decision_id"],
        requested_at=parse_time(row["requested_at"]),
        expires_at=parse_time(row["waits_until"]),
        task_token=row.get("task_token"),
        answer=Answer.from_json(row["answer"]) if "answer" in row else None,
        revision=row["revision"],
    )
