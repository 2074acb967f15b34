"""The demo of a model outside, from nothing to its report."""

import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from local.client import StackClient
from local.outside.servers import EXAMPLES, running_server
from local.outside.story import FIRST_VERSION, Plan, Story
from local.outside.summary import fetch_evidence, summarise, write_report
from local.outside.trainer import Trainer
from local.outside.world import deliveries
from local.replay.summary import write_summary
from local.stack import running_stack

MODEL = "late-deliveries"
PER_DAY = 100
PLAN = Plan(days=80, drift_day=40, leak_day=61, old_file_day=69)
_YAML = {"content-type": "application/yaml"}


def run_demo(out: Path, console: Console) -> dict[str, Any]:
    """Run the demo on a stack of its own; write summary and report into a folder. Raises HindsightError."""
    with tempfile.TemporaryDirectory(prefix="hindsight-outside-") as folder:
        versions = Path(folder) / "versions"
        versions.mkdir()
        with running_stack(Path(folder) / "stack") as stack:
            client = StackClient(stack)
            text = (EXAMPLES / "configuration.yaml").read_bytes()
            client.call("PUT", f"models/{MODEL}", key="operator", data=text, headers=_YAML)
            trainer = Trainer(client, MODEL, versions)
            trainer.make(FIRST_VERSION, has_drifted=False)
            with running_server(stack, MODEL, versions) as server:
                story = Story(client, MODEL, server, trainer, console.print)
                record = story.run(list(deliveries(PLAN.days, PLAN.drift_day, PER_DAY)), PLAN)
            evidence = fetch_evidence(client, MODEL, record, partial(trainer.decide, FIRST_VERSION))
            summary = summarise(record, evidence)
            write_summary(summary, out / "summary.json")
            console.print(f"report: {write_report(out, summary, evidence)}")
            console.print_json(json.dumps(summary))
            return summary
