"""The same code is unpacked once for all that use it; other files are unpacked where they are asked for."""

import tempfile
import zipfile
from pathlib import Path

import pytest

from local.forked.unpacked import SharedZipFile, is_unpacked


def archive(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(zipfile.ZipInfo("app.py"), text)
    return path


def unpack(path: Path) -> Path:
    folder = path.parent / "code"
    folder.mkdir()
    with SharedZipFile(path) as packed:
        packed.extractall(folder)
    return folder


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_same_code_is_at_the_same_place_and_other_code_at_another(tmp_path: Path) -> None:
    first, second = (unpack(archive(tmp_path / name / "code.zip", "same")) for name in ("a", "b"))
    other = unpack(archive(tmp_path / "c" / "code.zip", "other"))

    assert (first / "app.py").read_text() == "same"
    assert first.resolve() == second.resolve()
    assert (other / "app.py").read_text() == "other"
    assert is_unpacked(first.resolve())


def test_a_layer_is_unpacked_where_it_is_asked_for(tmp_path: Path) -> None:
    folder = unpack(archive(tmp_path / "a" / "layer_0.zip", "layer"))
    assert (folder / "app.py").read_text() == "layer"
    assert not folder.is_symlink()
    assert not is_unpacked(folder.resolve())
