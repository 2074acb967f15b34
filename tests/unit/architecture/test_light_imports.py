"""Capture and join start in a small package: the scientific layer must not be needed, nor be loaded by accident."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.template import layers_of, load_template, resources_of

ROOT = Path(__file__).parents[3]
TEMPLATE = load_template()
FUNCTIONS = resources_of(TEMPLATE, "AWS::Serverless::Function")


def folders(*, layer: str | None, fans_out: bool = False) -> set[str]:
    """List the functions that carry a layer besides those of all, or none; of those that start themselves a model."""
    layers = {"ScienceLayer", "DataLayer"}
    return {
        function["Properties"]["CodeUri"].split("/")[1]
        for name, function in FUNCTIONS.items()
        if layers & layers_of(TEMPLATE, name) == ({layer} if layer else set())
        if not fans_out or f"{name.removesuffix('Function')}FanOutPolicy" in TEMPLATE["Resources"]
    }


# What starts one invocation a model imports the science only once it has one.
LIGHT = folders(layer=None) | folders(layer="ScienceLayer", fans_out=True)
DATA = folders(layer="DataLayer")
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
def test_functions_start_without_the_packages_missing_from_their_layers(
    folders: set[str], absent: tuple[str, ...]
) -> None:
    environment = {
        **os.environ,
        "POWERTOOLS_SERVICE_NAME": "hindsight",
        "POWERTOOLS_METRICS_NAMESPACE": "Hindsight",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }

    finished = subprocess.run(
        [sys.executable, "-c", _PROGRAM, ",".join(sorted(folders)), ",".join(absent)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert len(folders) >= 4
    if finished.returncode:
        pytest.fail(finished.stderr)
