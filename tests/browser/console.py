"""The console as a person uses it, and what the API says meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from local.client import StackClient

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page

AXE = Path(__file__).parent / "vendor/axe.min.js"
SERIOUS = {"serious", "critical"}
WIDE, PHONE = (1280, 900), (375, 740)
PATIENCE_MS = 15_000
_STATUS = "the server responded with a status of"


@dataclass
class Console:
    """One browser; each test has a tab without keys of its own.

    Without slots: the browser's library notes its own attributes on who listens.
    """

    browser: "Browser"
    client: StackClient
    _context: "BrowserContext | None" = None
    _page: "Page | None" = None
    # What the browser logged as an error; a refusal of the API that a test provokes is none of the console's.
    errors: list[str] = field(default_factory=list)

    @property
    def page(self) -> "Page":
        assert self._page is not None
        return self._page

    def open_tab(self, **options: Any) -> "Page":
        self.close_tab()
        self._context = self.browser.new_context(locale="en-GB", **options)
        self._page = self._context.new_page()
        self._page.set_default_timeout(PATIENCE_MS)
        self.resize(WIDE)
        self._page.on("pageerror", self._fail)
        self._page.on("console", self._hear)
        return self._page

    def resize(self, size: tuple[int, int]) -> None:
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    def fits(self, size: tuple[int, int]) -> bool:
        """Check whether nothing is wider than a screen, once the charts are drawn for it."""
        self.resize(size)
        self.page.wait_for_timeout(100)
        for _ in range(20):
            if self.page.evaluate("document.documentElement.scrollWidth") <= size[0]:
                return True
            self.page.wait_for_timeout(100)
        return False

    def _hear(self, message: "ConsoleMessage") -> None:
        if message.type == "error" and _STATUS not in message.text:
            self.errors.append(message.text)

    def _fail(self, error: "Error") -> None:
        self.errors.append(str(error))

    def close_tab(self) -> None:
        if self._context is not None:
            self._context.close()
        self._context = self._page = None
        errors, self.errors = self.errors, []
        assert errors == []

    def go(self, path: str = "") -> None:
        self.page.goto(f"{self.client.stack.console_url}#/{path}")

    def enter(self, audience: str, path: str = "") -> None:
        """Paste the key of an audience at a page."""
        self.go(path)
        self.page.get_by_label("Key").fill(self.client.stack.keys[audience])
        self.page.get_by_role("button", name="Go on").click()

    def review(self, model: str, reviewer: str = "ann") -> None:
        self.enter("reviewer", f"review/{quote(model, safe='')}")
        self.page.get_by_label("Name").fill(reviewer)
        self.page.get_by_role("button", name="Begin").click()

    def sees(self, text: str) -> None:
        """Wait until a text is on the page."""
        self.page.get_by_text(text).first.wait_for()

    def faults(self) -> list[str]:
        """Find what keeps people with disabilities from the page, by axe-core, as far as it is serious."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("() => axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
        return [
            f"{violation['id']}: {node['html'][:200]}"
            for violation in found["violations"]
            if violation["impact"] in SERIOUS
            for node in violation["nodes"]
        ]


def reviewed_model(
    client: StackClient, model: str, features: Sequence[dict[str, Any]], *, task: str = "binary", **review: Any
) -> None:
    """Make a model, predictions of it, and a review task of each prediction, in their order."""
    configuration = {
        "model": model,
        "task": task,
        "features": {
            "age": {"type": "numeric"},
            "plan": {"type": "categorical"},
            "holiday": {"type": "boolean"},
            "note": {"type": "categorical"},
        },
        "labels": {"rules": [{"event": "annotation", "kind": "manual"}]},
        "review": {"guidelines": "Busy is above 100.", **review},
    }
    client.call("PUT", f"models/{model}", key="operator", json=configuration)
    rows = [
        {"prediction_id": f"{model}-{at}", "features": values, "score": 0.5, "model_version": "v1"}
        | ({"decision": "a"} if task == "multiclass" else {})
        for at, values in enumerate(features)
    ]
    taken = client.call("POST", f"models/{model}/predictions", key="app", json={"predictions": rows})
    assert taken["rejected"] == []
    names = {"prediction_ids": [row["prediction_id"] for row in rows]}
    client.call("POST", f"models/{model}/review/tasks", key="operator", json=names)


def answers(client: StackClient, model: str, prediction: str) -> list[dict[str, Any]]:
    """Read the answers that reviewers gave of a prediction."""
    explained = client.call("GET", f"models/{model}/predictions/{quote(prediction, safe='')}", key="operator")
    given: list[dict[str, Any]] = explained["review"]["answers"]
    return given
