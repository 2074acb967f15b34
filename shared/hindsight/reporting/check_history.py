"""The history of a model's checks: their reports in the lake, newest first, a page at a time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.core.errors import Fault, InvalidInput
from hindsight.lake.object_store import CHECKS, Lake, day_prefix
from hindsight.monitoring.results.check import CheckKind
from hindsight.reporting.status import LINKS_LAST

# A day is a listing: a longer span is read in pages of several requests.
MAX_DAYS = 92
DEFAULT_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckQuery:
    """The checks asked for: of one kind or of all, of the days from the first to the last, both included."""

    kind: CheckKind | None
    first: date
    last: date

    @classmethod
    def parse(cls, kind: str | None, first: date | None, last: date | None, now: datetime) -> "CheckQuery":
        """Build the query of what a request names; without days the newest week. Raises InvalidInput."""
        end = last or now.date()
        begin = first or end - timedelta(days=DEFAULT_DAYS - 1)
        if not timedelta(0) <= end - begin < timedelta(days=MAX_DAYS):
            message = f"must lie before to, by less than {MAX_DAYS} days"
            raise InvalidInput(f"the query parameter from {message}", (Fault("from", message),))
        if kind is not None and kind not in set(CheckKind):
            message = f"must be one of {', '.join(CheckKind)}"
            raise InvalidInput(f"the query parameter kind {message}", (Fault("kind", message),))
        return cls(kind=None if kind is None else CheckKind(kind), first=begin, last=end)


@dataclass(frozen=True, slots=True)
class CheckHistory:
    """Reads reports of checks; raises NotFound for a model that does not exist."""

    configurations: ConfigurationStore
    lake: Lake

    def keys(self, model: str, query: CheckQuery, most: int, before: str | None = None) -> list[str]:
        """List the keys of at most ``most`` reports that sort before a key, the newest first."""
        self.configurations.current(model)
        found: list[str] = []
        for key in self._descending(model, query):
            if before is None or key < before:
                found.append(key)
                if len(found) == most:
                    break
        return found

    def show(self, key: str) -> dict[str, Any]:
        """Read a check with its verdict and numbers, and link its report and its page."""
        check = json.loads(self.lake.read_bytes(key))
        whole = {name: value for name, value in check.items() if name not in {"report", "report_key", "page_key"}}
        page = check.get("page_key")
        links = {"report_url": self.lake.link(key, LINKS_LAST)}
        return whole | links | ({} if page is None else {"page_url": self.lake.link(page, LINKS_LAST)})

    def _descending(self, model: str, query: CheckQuery) -> Iterator[str]:
        endings = tuple(f"-{kind}.json" for kind in ([query.kind] if query.kind else CheckKind))
        for days in range((query.last - query.first).days + 1):
            listed = self.lake.keys(day_prefix(CHECKS, model, query.last - timedelta(days=days)))
            yield from reversed([key for key in listed if key.endswith(endings)])
