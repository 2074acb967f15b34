"""The reference pages of docs/, each with a block that is made of the code."""

from collections.abc import Iterator
from pathlib import Path

from local.pages import replace_block
from local.reference.metrics import metrics_page
from local.reference.parameters import parameters_page
from local.reference.settings import settings_page

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = {"configuration.md": settings_page, "parameters.md": parameters_page, "metrics.md": metrics_page}


def reference_pages() -> Iterator[tuple[Path, str]]:
    """Rebuild each page, with the text around its block as it is."""
    for name, build in BLOCKS.items():
        page = DOCS / name
        yield page, replace_block(page.read_text(encoding="utf-8"), "reference", build())
