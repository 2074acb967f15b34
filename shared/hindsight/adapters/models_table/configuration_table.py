"""Configurations in the models table."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import from_item, query_all, to_item, transact
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import configuration_digest, dump_configuration, parse_configuration
from hindsight.config.store import ConfigurationRevision
from hindsight.core import compact_json
from hindsight.core.errors import Conflict, NotFound
from hindsight.core.times import format_time

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MODELS = "#models"
_CURRENT = "configuration"
_ATTEMPTS = 5


class DynamoConfigurations:
    """Revisions of configurations; see ``hindsight.config.store.ConfigurationStore``.

    A revision never changes, so it is parsed once in the life of the process; the number of the current one is
    read every time.
    """

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client
        self._parsed: dict[tuple[str, int], ConfigurationRevision] = {}

    def current(self, model: str) -> ConfigurationRevision:
        """Return the newest revision. Raises NotFound for an unknown model."""
        head = self._get(model, _CURRENT)
        if head is None:
            raise NotFound(f"the model {model!r} does not exist")
        return self.revision(model, head["revision"])

    def revision(self, model: str, revision: int) -> ConfigurationRevision:
        """Return one revision. Raises NotFound."""
        if (model, revision) not in self._parsed:
            stored = self._get(model, _revision_key(revision))
            if stored is None:
                raise NotFound(f"the model {model!r} has no configuration revision {revision}")
            configuration = parse_configuration(compact_json.loads(stored["body"]))
            self._parsed[model, revision] = ConfigurationRevision(revision, configuration)
        return self._parsed[model, revision]

    def put(self, configuration: ModelConfiguration, now: datetime) -> int:
        """Store a configuration; return its revision, the current one if nothing in it changed."""
        digest = configuration_digest(configuration)
        for _ in range(_ATTEMPTS):
            head = self._get(configuration.model, _CURRENT) or {"revision": 0, "digest": None}
            if head["digest"] == digest:
                return int(head["revision"])
            if self._append(configuration, digest, head["revision"] + 1, now):
                return int(head["revision"]) + 1
        raise Conflict("the configuration keeps being changed by others; try again")

    def models(self) -> list[str]:
        """Return the names of all models, sorted."""
        items = query_all(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :models",
            ExpressionAttributeValues={":models": {"S": _MODELS}},
        )
        return [item["sk"] for item in items]

    def _append(self, configuration: ModelConfiguration, digest: str, revision: int, now: datetime) -> bool:
        key = {"pk": configuration.model}
        body = {
            **key,
            "sk": _revision_key(revision),
            "revision": revision,
            "digest": digest,
            "body": compact_json.dumps(dump_configuration(configuration)),
            "created_at": format_time(now),
        }
        head = {**key, "sk": _CURRENT, "revision": revision, "digest": digest}
        refused = transact(
            self._client,
            [
                # Two operators saving at once would both write revision n: the second finds it taken.
                {
                    "Put": {
                        "TableName": self._table,
                        "Item": to_item(body),
                        "ConditionExpression": "attribute_not_exists(pk)",
                    }
                },
                {"Put": {"TableName": self._table, "Item": to_item(head)}},
                {"Put": {"TableName": self._table, "Item": to_item({"pk": _MODELS, "sk": configuration.model})}},
            ],
        )
        return refused is None

    def _get(self, model: str, sort_key: str) -> dict[str, Any] | None:
        answer = self._client.get_item(
            TableName=self._table, Key=to_item({"pk": model, "sk": sort_key}), ConsistentRead=True
        )
        return from_item(answer["Item"]) if "Item" in answer else None


def _revision_key(revision: int) -> str:
    return f"configuration#{revision:06d}"
