"""Every alarm and every queue of dead letters has its place in the runbook, and nothing else has."""

import re
from pathlib import Path
from typing import Any

from local.template import resources_of

PAGE = (Path(__file__).parents[2] / "docs/runbook.md").read_text(encoding="utf-8")


def test_runbook_has_instructions_for_every_alarm(template: dict[str, Any]) -> None:
    rows = re.findall(r"^\| `(\w+Alarm)` \|.*\| (.+) \|$", PAGE, re.MULTILINE)
    assert {name for name, _ in rows} == set(resources_of(template, "AWS::CloudWatch::Alarm")), "docs/runbook.md"
    assert all(len(advice) > 20 for _, advice in rows)


def test_the_runbook_names_every_queue_of_dead_letters_beside_its_alarm(template: dict[str, Any]) -> None:
    named = dict(re.findall(r"^\| `(\w+)Alarm` \| `(\w+)` \|", PAGE, re.MULTILINE))
    queues = {name for name in resources_of(template, "AWS::SQS::Queue") if "DeadLetter" in name}
    assert set(named.values()) == queues
    assert all(queue == f"{alarm}Queue" for alarm, queue in named.items())
    outputs = template["Outputs"]
    assert all(f"{queue}Url" in outputs for queue in queues)
