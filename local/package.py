"""The functions' code as zip files: our own alone, or with its dependencies where the server does not have them."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hindsight.core.errors import HindsightError

ROOT = Path(__file__).parent.parent
LAYERS = ROOT / "build" / "layers"
_OURS = {".py", ".json", ".j2", ".css", ".html", ".js", ".svg", ".txt"}
_EPOCH = (1980, 1, 1, 0, 0, 0)


class LayersMissing(HindsightError):
    """The layers have to be built first."""


@dataclass(frozen=True, slots=True)
class Package:
    """A zip file, named by what is in it."""

    content: bytes

    @property
    def key(self) -> str:
        """The object's name in S3: the same code has the same name."""
        return f"code/{hashlib.sha256(self.content).hexdigest()[:20]}.zip"


def package(*layers: str) -> Package:
    """Build the zip file of our code, with the contents of the named layers beside it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path, name in sorted(_files(layers), key=lambda file: file[1]):
            information = zipfile.ZipInfo(name, _EPOCH)
            information.external_attr = 0o644 << 16
            information.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(information, path.read_bytes())
    return Package(buffer.getvalue())


def _files(layers: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    for folder, base in (("functions", ROOT), ("pipelines", ROOT), ("shared/hindsight", ROOT / "shared")):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in _OURS:
                yield path, path.relative_to(base).as_posix()
    for layer in layers:
        base = LAYERS / layer / "python"
        if not base.exists():
            raise LayersMissing(f"{base} does not exist: this endpoint needs the dependencies too; run `make layers`")
        for path in base.rglob("*"):
            if path.is_file():
                yield path, path.relative_to(base).as_posix()
