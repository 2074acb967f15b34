"""Check that each built function, unzipped and with its layers, stays within what Lambda takes."""

import argparse
import sys
from pathlib import Path

from local.template import layers_of, load_template, resources_of

BUILT = Path(".aws-sam") / "build" / "template.yaml"
LIMIT = 250 * 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--template", type=Path, default=BUILT, help="the built template (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Print each function's size; fail if one is too large."""
    if not arguments.template.exists():
        raise FileNotFoundError(f"there is no {arguments.template}: run `make build`")
    template = load_template(arguments.template)
    base = arguments.template.parent
    layers = {
        name: _size(base / layer["Properties"]["ContentUri"])
        for name, layer in resources_of(template, "AWS::Serverless::LayerVersion").items()
    }
    sizes = {
        name: _size(base / function["Properties"]["CodeUri"])
        + sum(layers[layer] for layer in layers_of(template, name))
        for name, function in resources_of(template, "AWS::Serverless::Function").items()
    }
    for name, size in sorted(sizes.items(), key=lambda entry: -entry[1]):
        print(f"{size / 1024**2:7.1f} MiB  {name}")
    too_large = [name for name, size in sizes.items() if size >= LIMIT]
    if too_large:
        print(f"over {LIMIT // 1024**2} MiB: {', '.join(too_large)}", file=sys.stderr)
    return 1 if too_large else 0


def _size(folder: Path) -> int:
    files = [path for path in folder.rglob("*") if path.is_file()]
    if not files:
        raise FileNotFoundError(f"{folder} is empty: was it built?")
    return sum(path.stat().st_size for path in files)
