"""Write what CloudFormation needs to put a new stack around the lake and the tables that an earlier one kept."""

import argparse
import json
import shlex
from pathlib import Path

from local.arguments import add_parameters

OUT = Path("out/adopt")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--stack-name", default="hindsight", help="of the new stack (%(default)s)")
    parser.add_argument("--lake", required=True, help="the kept bucket")
    parser.add_argument("--predictions-table", required=True, help="the kept table of predictions")
    parser.add_argument("--models-table", required=True, help="the kept table of models")
    parser.add_argument(
        "--restored", action="store_true", help="the tables were restored from backups, which keep no stream and no TTL"
    )
    add_parameters(parser, "as the earlier stack had it, KmsKeyArn above all; repeatable")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the two files (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Write the template and the resources of the import, and print the commands that use them."""
    from local.adoption import import_template, resources_to_import, restoring_commands
    from local.transformed import Place, deployment

    parameters = {**dict(arguments.parameter), "LakeBucketName": arguments.lake}
    plan = deployment(parameters, Place(arguments.stack_name))
    names = {
        "LakeBucket": arguments.lake,
        "PredictionsTable": arguments.predictions_table,
        "ModelsTable": arguments.models_table,
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    template, resources = arguments.out / "template.json", arguments.out / "resources.json"
    template.write_text(json.dumps(import_template(plan, arguments.lake), indent=2), encoding="utf-8")
    resources.write_text(json.dumps(resources_to_import(plan, names), indent=2), encoding="utf-8")
    stack, change = shlex.quote(arguments.stack_name), "adopt"
    named = f"--stack-name {stack} --change-set-name {change}"
    overrides = " ".join(shlex.quote(f"{name}={value}") for name, value in parameters.items())
    commands = [
        *(restoring_commands(plan, names) if arguments.restored else []),
        f"aws cloudformation create-change-set {named} --change-set-type IMPORT \\\n"
        f"    --template-body file://{template} --resources-to-import file://{resources}",
        f"aws cloudformation wait change-set-create-complete {named}",
        f"aws cloudformation execute-change-set {named}",
        f"aws cloudformation wait stack-import-complete --stack-name {stack}",
        f".sam-venv/bin/sam deploy --stack-name {stack} \\\n    --parameter-overrides {overrides}",
    ]
    print(" &&\n".join(commands))
    return 0
