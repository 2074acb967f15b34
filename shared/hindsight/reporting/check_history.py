"""The history of a model's checks: their reports in the lake, newest first, a page at a time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.config.types import NO_IDENTIFIER, is_identifier
from hindsight.core.errors import InvalidInput
from hindsight.core.times import format_time
from hindsight.lake.object_store import CHECKS, Lake, day_of, day_prefix, read_if_present
from hindsight.monitoring.results.check import CheckKind, CheckStore, report_ending
from hindsight.reporting.status import LINKS_LAST
from hindsight.validation.operator_request import queried_moment

# A day is a listing: a longer span is read in several requests, each of its own days.
MAX_DAYS = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckQuery:
    """The checks asked for: of one kind or of all, of one version or of all, between two moments, both included.

    None is without a bound. ``daily`` asks for no more than the newest of each kind and version a day.
    """

    kind: CheckKind | None = None
    first: datetime | None = None
    last: datetime | None = None
    version: str | None = None
    daily: bool = False

    @classmethod
    def parse(
        cls,
        kind: str | None = None,
        first: str | None = None,
        last: str | None = None,
        version: str | None = None,
        *,
        daily: bool = False,
    ) -> "CheckQuery":
        """Read the query that a request names, by days or by moments. Raises InvalidInput with the path at fault."""
        if kind is not None and kind not in set(CheckKind):
            raise InvalidInput.in_query("kind", f"must be one of {', '.join(CheckKind)}")
        if version is not None and not is_identifier(version):
            raise InvalidInput.in_query("version", NO_IDENTIFIER)
        query = cls(
            kind=None if kind is None else CheckKind(kind),
            first=queried_moment(first, "from", time.min),
            last=queried_moment(last, "to", time.max),
            version=version,
            daily=daily,
        )
        if query.first and query.last:
            _require_span(query.first, query.last)
        return query


@dataclass(frozen=True, slots=True)
class CheckHistory:
    """The reports of a model's checks; raises NotFound for a model that does not exist."""

    configurations: ConfigurationStore
    checks: CheckStore
    lake: Lake

    def keys(self, model: str, query: CheckQuery, most: int, before: str | None = None) -> list[str]:
        """List the keys of at most ``most`` reports that sort before a key, the newest first.

        Without an end the span ends with the newest check, which may be of a replayed time; without a beginning it
        reaches back as far as one request reads.
        """
        self.configurations.newest(model)
        last = query.last or self._newest(model)
        if last is None:
            return []
        first = query.first or last - timedelta(days=MAX_DAYS - 1)
        if first <= last:
            _require_span(first, last)
        found: list[str] = []
        descending = self._newest_of_days if query.daily else self._descending
        for key in descending(model, query, first, last, before):
            if len(found) == most:
                break
            found.append(key)
        return found

    def show(self, key: str) -> dict[str, Any] | None:
        """Read a check with its verdict and numbers, and link its report and its page; None of one that expired."""
        if (content := read_if_present(self.lake, key)) is None:
            return None
        check = json.loads(content)
        whole = {name: value for name, value in check.items() if name not in {"report", "report_key", "page_key"}}
        page = check.get("page_key")
        links = {"report_url": self.lake.link(key, LINKS_LAST)}
        return whole | links | ({} if page is None else {"page_url": self.lake.link(page, LINKS_LAST)})

    def _newest(self, model: str) -> datetime | None:
        found = (self.checks.latest(model, kind) for kind in CheckKind)
        return max((check.at for check in found if check is not None), default=None)

    def _descending(
        self, model: str, query: CheckQuery, first: datetime, last: datetime, before: str | None
    ) -> Iterator[str]:
        kinds = [query.kind] if query.kind else list(CheckKind)
        endings = tuple(report_ending(kind, query.version) for kind in kinds)
        end, begin = last.date(), first.date()
        if before is not None and (reached := day_of(before)) is not None:
            end = min(end, reached)
        for days in range((end - begin).days + 1):
            prefix = day_prefix(CHECKS, model, end - timedelta(days=days))
            for key in reversed([key for key in self.lake.keys(prefix) if key.endswith(endings)]):
                at = key.removeprefix(prefix)[: len(format_time(last))]
                if format_time(first) <= at <= format_time(last) and (before is None or key < before):
                    yield key

    def _newest_of_days(
        self, model: str, query: CheckQuery, first: datetime, last: datetime, before: str | None
    ) -> Iterator[str]:
        """Find the newest keys of each day, kind and version; the day a page begins in is read from its end again."""
        if before is not None and (reached := day_of(before)) is not None:
            last = min(last, datetime.combine(reached, time.max, UTC))
        seen: set[tuple[date | None, str]] = set()
        for key in self._descending(model, query, first, last, None):
            series = (day_of(key), key.rpartition("/")[2].partition("Z-")[2])
            if series not in seen:
                seen.add(series)
                if before is None or key < before:
                    yield key


def _require_span(first: datetime, last: datetime) -> None:
    if not 0 <= (last.date() - first.date()).days < MAX_DAYS or first > last:
        raise InvalidInput.in_query("from", f"must lie before to, by less than {MAX_DAYS} days")
