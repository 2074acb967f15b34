"""Approvals in the models table."""

from typing import TYPE_CHECKING

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.core.codec import from_plain, to_plain
from hindsight.rollout.approval.approval import Approval

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_APPROVAL = "approval#"


class DynamoApprovals:
    """One item a version that people were asked about; see ``hindsight.rollout.approval.store.ApprovalStore``.

    The approval is a separate map: ``expires_at`` is the attribute by which the table expires items.
    """

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._items = ModelItems(table, client)

    def load(self, model: str, version: str) -> Approval | None:
        """Read the approval of a version, None if none was asked for."""
        item = self._items.get(model, _APPROVAL + version)
        return None if item is None else from_plain(Approval, item["approval"])

    def save(self, approval: Approval) -> bool:
        """Store an approval one revision after the stored one, or the first; False if another writer was faster."""
        values = {"revision": approval.revision, "approval": to_plain(approval)}
        return self._items.put_if_version(
            approval.model,
            _APPROVAL + approval.version,
            values,
            attribute="revision",
            expected=approval.revision - 1,
        )

    def newest(self, model: str, limit: int, before: str | None = None) -> list[Approval]:
        """List at most ``limit`` approvals, newest first, of versions older than the one named ``before``."""
        key = None if before is None else _APPROVAL + before
        return [from_plain(Approval, item["approval"]) for item in self._items.newest(model, _APPROVAL, limit, key)]
