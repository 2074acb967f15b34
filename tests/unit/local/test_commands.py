"""The console script: its commands, their groups, and where it may be run."""

import os
import pkgutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import NoRegionError

from hindsight.__main__ import find_checkout
from hindsight.core.errors import Fault, InvalidInput
from local import __main__ as console
from local import commands
from local.server import ServerError

ROOT = Path(__file__).parents[3]
# Loaded by what talks to a stack or computes; none of it is needed to list the commands.
HEAVY = {"boto3", "numpy", "pandas", "pydantic", "requests", "rich"}


def run_python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def test_every_command_is_in_one_group() -> None:
    grouped = [name for names in commands.GROUPS.values() for name in names]
    there = sorted(module.name for module in pkgutil.iter_modules(commands.__path__))
    assert sorted(grouped) == there, "list it in a group of local/commands/__init__.py"


def test_help_describes_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        console.main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for name in (name for names in commands.GROUPS.values() for name in names):
        assert console.summary(name)
        assert f"  {name:<12} {console.summary(name)}\n" in shown


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from local.__main__ import list_commands; list_commands(); print(*sys.modules)"
    assert HEAVY.isdisjoint(run_python("-c", code, cwd=ROOT).stdout.split())


def test_every_command_has_a_help_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    for name in (name for names in commands.GROUPS.values() for name in names):
        with pytest.raises(SystemExit) as ended:
            console.main([name, "--help"])
        assert ended.value.code == 0
        assert f"usage: hindsight {name}" in capsys.readouterr().out


def test_missing_package_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_arguments: object) -> int:
        raise ModuleNotFoundError(name="ministack.server")

    monkeypatch.setattr(console, "run_command", fail)
    assert console.main(["up"]) == 2
    assert "hindsight up needs the package ministack: pip install '.[local]'" in capsys.readouterr().err


def test_missing_module_of_the_checkout_is_a_fault_that_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> int:
        raise ModuleNotFoundError(name="local.nothing")

    monkeypatch.setattr(console, "run_command", fail)
    with pytest.raises(ModuleNotFoundError):
        console.main(["up"])


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ServerError("port 4700 is taken"), "port 4700 is taken\n"),
        (FileNotFoundError(2, "No such file", "rows.csv"), "rows.csv: no such file\n"),
        (NoRegionError(), "You must specify a region.\n"),
        (InvalidInput.at("time", "is required"), "time is required\n"),
        (InvalidInput("two faults", (Fault("a", "x"), Fault("b", "y"))), "two faults\n  a: x\n  b: y\n"),
    ],
)
def test_expected_failure_is_a_line_and_a_status(
    error: Exception, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_arguments: object) -> int:
        raise error

    monkeypatch.setattr(console, "run_command", fail)
    assert console.main(["up"]) == 1
    assert capsys.readouterr().err == shown


def test_interrupted_command_ends_with_the_status_of_a_signal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(console, "run_command", interrupt)
    assert console.main(["follow"]) == 130
    assert capsys.readouterr().err == "stopped\n"


def test_reader_that_has_seen_enough_ends_a_command_without_a_word() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "local", "template"]
    ended = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, "")


def test_labels_are_not_exported_under_a_name_of_another_format(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        console.main(["export", "--model", "m", "--out", "labels.csv"])
    assert "say labels.parquet" in capsys.readouterr().err


@pytest.mark.parametrize(("target", "missing"), [("verify-dataset", "MODEL"), ("redrive", "QUEUE")])
def test_variable_that_a_target_needs_is_asked_for(target: str, missing: str) -> None:
    ended = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert f"{missing}=... is missing" in ended.stderr


def test_fault_of_ours_shows_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> int:
        raise KeyError("nothing")

    monkeypatch.setattr(console, "run_command", fail)
    with pytest.raises(KeyError):
        console.main(["up"])


def test_checkout_is_found_from_any_of_its_folders(tmp_path: Path) -> None:
    assert find_checkout(ROOT / "docs") == ROOT
    assert find_checkout(tmp_path, ROOT / "shared/hindsight") == ROOT
    assert find_checkout(tmp_path) is None


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Copy the launcher out of the checkout, as an installation does."""
    copy = tmp_path / "launcher.py"
    copy.write_text((ROOT / "shared/hindsight/__main__.py").read_text(encoding="utf-8"), encoding="utf-8")
    return copy


def test_installed_copy_outside_a_checkout_ends_with_advice(installed: Path) -> None:
    ended = run_python(str(installed), "up", cwd=installed.parent)
    assert (ended.returncode, ended.stderr) == (2, "hindsight: run inside a checkout of Hindsight\n")


def test_installed_copy_runs_the_commands_of_the_checkout_around_it(installed: Path) -> None:
    ended = run_python(str(installed), "--state", str(installed.parent), "status", cwd=ROOT / "docs")
    assert (ended.returncode, ended.stdout) == (1, "nothing is running\n")
