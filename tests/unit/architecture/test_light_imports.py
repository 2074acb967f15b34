"""Capture and join start in a small package: the scientific layer must not be needed, nor be loaded by accident."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LIGHT = (
    "answer_reviews",
    "archive_labels",
    "archive_predictions",
    "authorize",
    "capture_feedback",
    "check_triggers",
    "conclude",
    "conclude_relabelling",
    "configure_model",
    "count_relabel_files",
    "expire_versions",
    "import_files",
    "join_labels",
    "lease_reviews",
    "log_predictions",
    "mature_labels",
    "monitor",
    "pack_objects",
    "recover_run",
    "relabel_files",
    "replay_quarantine",
    "report_intake",
    "report_model",
    "request_approval",
    "request_relabelling",
    "request_erasure",
    "request_replay",
    "request_retraining",
    "request_verification",
    "tend_reviews",
    "watch_deployments",
)
DATA = ("compact_examples", "erase_subject", "snapshot", "verify_dataset")
HEAVY = ("numpy", "duckdb", "pandas", "sklearn", "scipy", "skops")
NOT_DATA = ("pandas", "sklearn", "scipy", "skops", "datasketches")
_PROGRAM = """
import importlib, sys
for folder in sys.argv[1].split(","):
    importlib.import_module(f"functions.{folder}.app")
    loaded = sorted(set(sys.argv[2].split(",")) & sys.modules.keys())
    if loaded:
        sys.exit(f"functions.{folder}.app loads {', '.join(loaded)}")
"""


@pytest.mark.parametrize(("folders", "absent"), [(LIGHT, HEAVY), (DATA, NOT_DATA)])
def test_functions_start_without_what_their_layers_do_not_have(
    folders: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    existing = [folder for folder in folders if (ROOT / "functions" / folder / "app.py").exists()]
    environment = {
        **os.environ,
        "POWERTOOLS_SERVICE_NAME": "hindsight",
        "POWERTOOLS_METRICS_NAMESPACE": "Hindsight",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }

    finished = subprocess.run(
        [sys.executable, "-c", _PROGRAM, ",".join(existing), ",".join(absent)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert existing
    if finished.returncode:
        pytest.fail(finished.stderr)
