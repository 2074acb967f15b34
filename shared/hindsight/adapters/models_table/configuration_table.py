"""Configurations in the models table."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.adapters.dynamodb.requests import batch_write, to_item
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import configuration_digest, dump_configuration, parse_configuration
from hindsight.config.store import (
    ConfigurationRevision,
    Retirement,
    SentDocument,
    StoredConfiguration,
    canonical_document,
    completed,
)
from hindsight.core import compact_json
from hindsight.core.errors import Conflict, ModelRetired, NotFound
from hindsight.core.times import format_time, parse_time

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MODELS = "#models"
CONFIGURATION = "configuration"
_REVISION = f"{CONFIGURATION}#"
_RETIRED, _ERASURE, _ERASED, _USED_UP = "retired_at", "erasure_job_id", "erased_at", "erased_revisions"
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
        """Read the newest revision. Raises NotFound for an unknown model, ModelRetired for a retired one."""
        head = self._head(model)
        if _RETIRED in head:
            raise ModelRetired(f"the model {model!r} was retired at {head[_RETIRED]}")
        return self.revision(model, head["revision"])

    def newest(self, model: str) -> ConfigurationRevision:
        """Read the newest revision, of a retired model too. Raises NotFound for one that is unknown or erased."""
        return self.revision(model, self._kept(model)["revision"])

    def revision(self, model: str, revision: int) -> ConfigurationRevision:
        """Read one revision. Raises NotFound."""
        if (model, revision) not in self._parsed:
            self._parsed[model, revision] = _parsed(self._revision_item(model, revision))
        return self._parsed[model, revision]

    def stored(self, model: str, revision: int | None = None) -> StoredConfiguration:
        """Read one revision as it was sent, the newest by default. Raises NotFound."""
        number = self._kept(model)["revision"] if revision is None else revision
        return _stored(self._revision_item(model, number))

    def revisions(self, model: str, limit: int, before: int | None = None) -> list[StoredConfiguration]:
        """List at most ``limit`` revisions below ``before``, the newest first. Raises NotFound for an unknown model."""
        head = self._kept(model)
        newest, last = head["revision"], head.get(_USED_UP, 0)
        first = min(newest, newest if before is None else before - 1)
        return [_stored(self._revision_item(model, number)) for number in range(first, max(last, first - limit), -1)]

    def put(self, configuration: ModelConfiguration, now: datetime, sent: SentDocument | None = None) -> int:
        """Store a configuration; return its revision, the current one if nothing in it changed."""
        model, digest = configuration.model, configuration_digest(configuration)
        document = sent or canonical_document(configuration)
        revision = 0

        def attempt() -> bool | None:
            nonlocal revision
            head = _NONE | (self._items.get(model, CONFIGURATION) or {})
            if (retirement := _retirement(head)) is not None and retirement.is_being_erased:
                raise Conflict(f"the model {model!r} is being erased; the job {retirement.job_id} reports its end")
            is_new = head["digest"] != digest
            revision = head["revision"] + is_new
            if not is_new and _RETIRED not in head:
                return None
            new_head = {"revision": revision, "digest": digest, _USED_UP: head.get(_USED_UP)}
            head_put = self._items.overwrite(model, CONFIGURATION, new_head) | _unchanged(head, _ERASURE)
            body = {
                "revision": revision,
                "digest": digest,
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
                    {"Put": head_put},
                    {"Put": self._items.overwrite(_MODELS, model, {})},
                ]
            )

        self._items.change(attempt, f"the configuration of {model!r}")
        return int(revision)

    def retire(self, model: str, retirement: Retirement) -> Retirement:
        """Take a model out of service; return the stored record: of two the first stays."""
        kept = retirement

        def attempt() -> bool | None:
            nonlocal kept
            head = self._head(model)
            if _ERASED in head and retirement.job_id is None:
                raise _gone(model, head)
            kept = completed(_retirement(head), retirement)
            if kept == _retirement(head):
                return None
            values = {name: value for name, value in head.items() if name not in {"pk", "sk", _ERASED}} | _retired(kept)
            unchanged = _unchanged(head, "revision", _RETIRED, _ERASURE, _ERASED)
            head_put: Any = {"Put": self._items.overwrite(model, CONFIGURATION, values) | unchanged}
            listed: Any = {"Put": self._items.overwrite(_MODELS, model, {_RETIRED: format_time(kept.at)})}
            return self._items.write([head_put, self._items.gone(_MODELS, model) if kept.job_id else listed])

        self._items.change(attempt, f"the configuration of {model!r}")
        return kept

    def erase(self, model: str, erased: Retirement) -> None:
        """Replace all that is stored of a model by the record of its erasure, if that is still the one under way."""
        head = self._head(model)
        if head.get(_ERASURE) != erased.job_id or _ERASED in head:
            return
        # The revisions first: once the record is stored, a new model's may follow.
        keys = [{"pk": model, "sk": item["sk"]} for item in self._items.each(model, _REVISION)]
        batch_write(self._items.client, self._items.table, [{"DeleteRequest": {"Key": to_item(key)}} for key in keys])
        values = {"revision": head["revision"], **_retired(replace(erased, erased_revisions=head["revision"]))}
        put = self._items.overwrite(model, CONFIGURATION, values) | _unchanged(head, _ERASURE, _ERASED)
        self._items.write([{"Put": put}])

    def retirement(self, model: str) -> Retirement | None:
        """Read the record of a retired model, None of one in service. Raises NotFound for an unknown model."""
        return _retirement(self._head(model))

    def models(self, *, retired: bool = False) -> list[str]:
        """List the names of all models in service, sorted, or of those and of the ``retired`` ones."""
        return [item["sk"] for item in self._items.each(_MODELS) if retired or _RETIRED not in item]

    def _head(self, model: str) -> dict[str, Any]:
        head = self._items.get(model, CONFIGURATION)
        if head is None:
            raise NotFound(f"the model {model!r} does not exist")
        return head

    def _kept(self, model: str) -> dict[str, Any]:
        head = self._head(model)
        if _ERASURE in head:
            raise _gone(model, head)
        return head

    def _revision_item(self, model: str, revision: int) -> dict[str, Any]:
        item = self._items.get(model, _revision_key(revision))
        if item is None:
            raise NotFound(f"the model {model!r} has no configuration revision {revision}")
        return item


def _retirement(head: dict[str, Any]) -> Retirement | None:
    if _RETIRED not in head:
        return None
    return Retirement(
        reason=head["retired_reason"],
        actor=head["retired_by"],
        at=parse_time(head[_RETIRED]),
        job_id=head.get(_ERASURE),
        erased_at=parse_time(head[_ERASED]) if _ERASED in head else None,
        erased_revisions=head.get(_USED_UP, 0),
    )


def _retired(retirement: Retirement) -> dict[str, Any]:
    values = {
        _RETIRED: format_time(retirement.at),
        "retired_reason": retirement.reason,
        "retired_by": retirement.actor,
        _ERASURE: retirement.job_id,
        _ERASED: format_time(retirement.erased_at) if retirement.erased_at else None,
        _USED_UP: retirement.erased_revisions or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _gone(model: str, head: Mapping[str, Any]) -> NotFound:
    state = f"was erased at {head[_ERASED]}" if _ERASED in head else "is being erased"
    return NotFound(f"the model {model!r} {state}; the job {head[_ERASURE]} reports on it")


def _unchanged(head: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Build the condition that some attributes of a model's head are what they were when it was read."""
    values = {f":{name}": head[name] for name in names if name in head}
    parts = [f"{name} = :{name}" if name in head else f"attribute_not_exists({name})" for name in names]
    condition = {"ConditionExpression": " AND ".join(parts)}
    return condition | ({"ExpressionAttributeValues": to_item(values)} if values else {})


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
