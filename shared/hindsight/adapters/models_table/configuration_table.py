"""Configurations in the models table."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import configuration_digest, dump_configuration, parse_configuration
from hindsight.config.store import ConfigurationRevision, SentDocument, StoredConfiguration, canonical_document
from hindsight.core import compact_json
from hindsight.core.errors import NotFound
from hindsight.core.times import format_time, parse_time

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MODELS = "#models"
_CURRENT = "configuration"
_REVISION = "configuration#"
_NONE: dict[str, Any] = {"revision": 0, "digest": None}


class DynamoConfigurations:
    """Revisions of configurations; see ``hindsight.config.store.ConfigurationStore``.

    A revision never changes, so it is parsed once in the life of the process; the number of the current one is
    read every time.
    """

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._items = ModelItems(table, client)
        self._parsed: dict[tuple[str, int], ConfigurationRevision] = {}

    def current(self, model: str) -> ConfigurationRevision:
        """Read the newest revision. Raises NotFound for a model that is unknown or retired."""
        head = self._head(model)
        if "retired_at" in head:
            raise NotFound(f"the model {model!r} was retired at {head['retired_at']}")
        return self.revision(model, head["revision"])

    def revision(self, model: str, revision: int) -> ConfigurationRevision:
        """Read one revision. Raises NotFound."""
        if (model, revision) not in self._parsed:
            self._parsed[model, revision] = _parsed(self._revision_item(model, revision))
        return self._parsed[model, revision]

    def stored(self, model: str, revision: int | None = None) -> StoredConfiguration:
        """Read one revision as it was sent, the newest by default. Raises NotFound."""
        number = self._head(model)["revision"] if revision is None else revision
        return _stored(self._revision_item(model, number))

    def revisions(self, model: str, limit: int, before: int | None = None) -> list[StoredConfiguration]:
        """List at most ``limit`` revisions below ``before``, the newest first. Raises NotFound for an unknown model."""
        newest = self._head(model)["revision"]
        first = min(newest, newest if before is None else before - 1)
        return [_stored(self._revision_item(model, number)) for number in range(first, max(0, first - limit), -1)]

    def put(self, configuration: ModelConfiguration, now: datetime, sent: SentDocument | None = None) -> int:
        """Store a configuration; return its revision, the current one if nothing in it changed."""
        model, digest = configuration.model, configuration_digest(configuration)
        document = sent or canonical_document(configuration)
        revision = 0

        def attempt() -> bool | None:
            nonlocal revision
            head = self._items.get(model, _CURRENT) or _NONE
            is_new = head["digest"] != digest
            revision = head["revision"] + is_new
            if not is_new and "retired_at" not in head:
                return None
            new_head = {"revision": revision, "digest": digest}
            body = {
                **new_head,
                "body": compact_json.dumps(dump_configuration(configuration)),
                "sent": document.text,
                "content_type": document.content_type,
                "at": format_time(now),
                "actor": document.actor,
                "reason": document.reason,
            }
            return self._items.write(
                [
                    # Two operators saving at once would both write revision n: the second finds it taken.
                    *([self._items.once(model, _revision_key(revision), body)] if is_new else []),
                    {"Put": self._items.whatever(model, _CURRENT, new_head)},
                    {"Put": self._items.whatever(_MODELS, model, {})},
                ]
            )

        self._items.change(attempt, f"the configuration of {model!r}")
        return int(revision)

    def retire(self, model: str, now: datetime) -> None:
        """Take a model out of service; its revisions stay readable. Raises NotFound for an unknown model."""
        self._head(model)
        retired = self._items.set(model, _CURRENT, {"retired_at": format_time(now)})
        self._items.write([retired, self._items.gone(_MODELS, model)])

    def models(self) -> list[str]:
        """List the names of all models in service, sorted."""
        return [item["sk"] for item in self._items.each(_MODELS)]

    def _head(self, model: str) -> dict[str, Any]:
        head = self._items.get(model, _CURRENT)
        if head is None:
            raise NotFound(f"the model {model!r} does not exist")
        return head

    def _revision_item(self, model: str, revision: int) -> dict[str, Any]:
        item = self._items.get(model, _revision_key(revision))
        if item is None:
            raise NotFound(f"the model {model!r} has no configuration revision {revision}")
        return item


def _parsed(item: dict[str, Any]) -> ConfigurationRevision:
    return ConfigurationRevision(item["revision"], parse_configuration(compact_json.loads(item["body"])))


def _stored(item: dict[str, Any]) -> StoredConfiguration:
    return StoredConfiguration(
        revision=item["revision"],
        at=parse_time(item["at"]),
        sent=SentDocument(
            text=item["sent"],
            content_type=item["content_type"],
            actor=item.get("actor"),
            reason=item.get("reason"),
        ),
        configuration=_parsed(item).configuration,
    )


def _revision_key(revision: int) -> str:
    return f"{_REVISION}{revision:06d}"
