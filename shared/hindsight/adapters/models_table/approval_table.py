"""Requests of waiting runs in the models table: for approvals, and for versions that are made elsewhere."""

from typing import TYPE_CHECKING

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.core.codec import from_plain, to_plain
from hindsight.rollout.approval.approval import Approval
from hindsight.rollout.external.training_request import TrainingRequest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_APPROVAL = "approval#"
_REQUEST = "training-request#"


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


class DynamoTrainingRequests:
    """One item a dataset that a run waited for a version of; see ``TrainingRequestStore``.

    The request is a separate map, as an approval is.
    """

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._items = ModelItems(table, client)

    def load(self, model: str, dataset_id: str) -> TrainingRequest | None:
        """Read the request for a version of a dataset, None if there was none."""
        item = self._items.get(model, _REQUEST + dataset_id)
        return None if item is None else from_plain(TrainingRequest, item["request"])

    def save(self, request: TrainingRequest) -> bool:
        """Store a request one revision after the stored one, or the first; False if another writer was faster."""
        values = {"revision": request.revision, "request": to_plain(request)}
        return self._items.put_if_version(
            request.model,
            _REQUEST + request.dataset_id,
            values,
            attribute="revision",
            expected=request.revision - 1,
        )

    def newest(self, model: str) -> TrainingRequest | None:
        """Find the request for the newest dataset, None before the first."""
        found = self._items.newest(model, _REQUEST, 1)
        return from_plain(TrainingRequest, found[0]["request"]) if found else None
