"""A browser, Debian's own, at the console of the stack that the stack's tests share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.client import StackClient
from tests.browser.console import Console

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
NONE_FOUND = "no browser: the console is tested where `chromium` is installed (apt-get install chromium)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.path.name != "test_rules.py":
            item.add_marker(pytest.mark.stack)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason=NONE_FOUND))


@pytest.fixture(scope="session")
def consoles(client: StackClient) -> Iterator[list[Console]]:
    """The consoles that tests opened, in one browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield [Console(browser, client)]
        browser.close()


@pytest.fixture
def console(consoles: list[Console]) -> Iterator[Console]:
    """A console in a tab of its own, which must not have logged an error by the end."""
    [console] = consoles
    console.open_tab()
    yield console
    console.close_tab()
