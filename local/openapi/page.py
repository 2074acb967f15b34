"""The table of routes in docs/http.md, made of the routes that make the OpenAPI document."""

from pathlib import Path

from local.openapi.route import Route
from local.openapi.routes import ROUTES
from local.pages import replace_block, table

PAGE = Path(__file__).parents[2] / "docs/http.md"
BLOCK = "routes"


def with_routes(page: str) -> str:
    """Replace a page's table of routes by that of the routes as they are now."""
    return replace_block(page, BLOCK, table(("route", "for", "does", "answers"), map(_row, ROUTES)))


def _row(route: Route) -> tuple[str, ...]:
    audiences = "all" if len(route.audiences) > 1 else f"{route.audiences[0].value}s"
    names = [f"{name}=" for name in sorted(one.name for one in route.parameters)]
    query = f"?{'&'.join(names)}" if names else ""
    others = ", 202" * route.starts_job + ", 409" * route.conflicts
    return f"`{route.method.upper()} /v1{route.path}{query}`", audiences, route.does, f"{route.status}{others}"
