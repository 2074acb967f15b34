"""Files that a browser is served: read once, found by their whole names alone, cached as long as they are the same."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from hindsight.core.errors import NotFound

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
# In the page, the mark of all files as they are now: an address with it never means anything else.
MARK = "{{digest}}"
_ONE_YEAR = "public, max-age=31536000, immutable"
_SECURITY = {
    # Nothing inline and nothing from elsewhere; pages of checks and cards are opened by their links, not called.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """The files of a folder by name, with the mark of them all; ``page`` is the one without a name."""

    texts: Mapping[str, str]
    digest: str
    page: str

    @classmethod
    def read(cls, folder: Path, page: str) -> "StaticFiles":
        """Read every file of a folder that has a type to be served."""
        paths = sorted(path for path in folder.rglob("*") if path.suffix in CONTENT_TYPES)
        texts = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}
        digest = _digest("".join(f"{name}\0{text}\0" for name, text in texts.items()))
        return cls({name: text.replace(MARK, digest) for name, text in texts.items()}, digest, page)

    def answer(self, event: APIGatewayProxyEvent) -> Response[str]:
        """Answer with the file that a request names. Raises NotFound for any other name."""
        asked = (event.path_parameters or {}).get("file") or self.page
        mark, _, rest = asked.partition("/")
        name, kept = (rest, _ONE_YEAR) if mark == self.digest else (asked, "no-cache")
        if name not in self.texts:
            raise NotFound("the console has no file of that name: load its page again")
        text = self.texts[name]
        tag = f'"{_digest(text)}"'
        headers = {"cache-control": kept, "etag": tag, **_SECURITY}
        if tag in (event.headers.get("if-none-match") or ""):
            return Response(304, body="", headers=headers)
        return Response(200, CONTENT_TYPES[Path(name).suffix], text, headers=headers)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
