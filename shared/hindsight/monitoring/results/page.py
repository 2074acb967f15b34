"""The rendering of pages from the library's templates: HTML documents that load nothing else, in light or dark."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_LIBRARY = Path(__file__).parents[2]


def render(template: str, **values: Any) -> "Markup":
    """Render a template, named by its path in the library; values are escaped unless they are markup."""
    return markup(_environment().get_template(template).render(values))


def markup(html: str) -> "Markup":
    """Mark HTML whose values are escaped already, such as a chart, so that a template takes it as it is."""
    from markupsafe import Markup  # noqa: PLC0415

    return Markup(html)  # noqa: S704  what templates and charts escaped  # nosec B704


@cache
def _environment() -> "Environment":
    # Imported where a page is made: most functions with the library make none.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(_LIBRARY),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for form in (number, chance, percent, thousands, moment):
        environment.filters[form.__name__] = form
    return environment


def number(value: float | None) -> str:
    """Format a number in few digits, a dash where there is none.

    >>> number(0.123456), number(2.5e-11), number(0.0), number(None)
    ('0.123', '2.5e-11', '0', '–')
    """
    if value is None:
        return "–"
    return f"{value:.3g}" if value == 0 or abs(value) >= 1e-3 else f"{value:.1e}"


def chance(p_value: float | None) -> str:
    """Format a p-value, which is never quite 0.

    >>> chance(2.5e-11), chance(0.0)
    ('2.5e-11', '< 1e-300')
    """
    return "< 1e-300" if p_value is not None and p_value < 1e-300 else number(p_value)


def percent(value: float | None) -> str:
    """Format a share as a percentage, a dash where there is none.

    >>> percent(0.1234), percent(None)
    ('12.3%', '–')
    """
    return "–" if value is None else f"{value:.1%}"


def thousands(count: int) -> str:
    """Format a count with commas between thousands.

    >>> thousands(1234567)
    '1,234,567'
    """
    return f"{count:,}"


def moment(time: datetime) -> str:
    """Format a moment to the minute.

    >>> moment(datetime(2026, 3, 1, 12, 30))
    '2026-03-01 12:30 UTC'
    """
    return f"{time:%Y-%m-%d %H:%M} UTC"
