"""A stored configuration as operators see it."""

from typing import Any

from hindsight.config.documents.strict_yaml import parse_yaml
from hindsight.config.store import StoredConfiguration
from hindsight.core import compact_json
from hindsight.core.times import format_time


def shown_configuration(stored: StoredConfiguration) -> dict[str, Any]:
    """Show a revision: the document as it was sent, and the value it means as JSON, without defaults."""
    sent = stored.sent
    return {
        "model": stored.configuration.model,
        "revision": stored.revision,
        "at": format_time(stored.at),
        "actor": sent.actor,
        "reason": sent.reason,
        "content_type": sent.content_type,
        "document": sent.text,
        "configuration": compact_json.loads(sent.text) if "json" in sent.content_type else parse_yaml(sent.text),
    }
