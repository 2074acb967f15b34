"""Code of functions, unpacked once for all workers that run it; the interpreter compiles it once too."""

import hashlib
import os
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any

# The name that the embedded AWS gives the zip file of a function's own code, beside those of its layers.
_CODE = "code.zip"
_lock = threading.Lock()


class SharedZipFile(zipfile.ZipFile):
    """A zip file whose code is unpacked once; unpacking it again makes a link to the first copy."""

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        """Unpack the code, or link to where it is unpacked; the folder has to be empty."""
        if path is None or self.filename is None or Path(self.filename).name != _CODE:
            super().extractall(path, members, pwd)
            return
        place = self._place(Path(self.filename))
        with _lock:
            if not place.exists():
                draft = Path(tempfile.mkdtemp(dir=place.parent))
                super().extractall(draft, members, pwd)
                draft.rename(place)
        os.rmdir(path)
        os.symlink(place, path, target_is_directory=True)

    def _place(self, archive: Path) -> Path:
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()[:20]
        folder = Path(tempfile.gettempdir()) / "unpacked"
        folder.mkdir(exist_ok=True)
        return folder / digest


def is_unpacked(folder: Path) -> bool:
    """Check whether code was unpacked there for all."""
    return folder.parent.name == "unpacked" and folder.is_dir()
