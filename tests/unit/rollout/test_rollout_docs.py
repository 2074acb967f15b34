"""The statements of docs/rollout-evaluation.md hold for the code."""

import re
from pathlib import Path

import yaml

from hindsight.config.training import Deployment, Gate
from hindsight.rollout.announcement import ENDS_OF_ROLLOUTS, OTHER_CHANGES
from hindsight.testing.builders.configuration import configuration

PAGE = (Path(__file__).parents[3] / "docs" / "rollout-evaluation.md").read_text()


def test_page_shows_all_settings_with_their_defaults() -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    shown = yaml.safe_load(block)
    defaults = Deployment()
    assert set(shown["deployment"]) == set(Deployment.model_fields)
    for section in ("canary", "shadow", "probation"):
        found = getattr(defaults, section)
        assert set(shown["deployment"][section]) == set(type(found).model_fields)
        parsed = getattr(configuration(deployment=shown["deployment"]).deployment, section)
        assert parsed.model_dump(exclude={"max_drop"}) == found.model_dump(exclude={"max_drop"})
    assert shown["gate"]["confidence"] == Gate().confidence


def test_every_announcement_is_named() -> None:
    assert all(f"`{name}`" in PAGE for name in [*ENDS_OF_ROLLOUTS.values(), *OTHER_CHANGES.values()])
