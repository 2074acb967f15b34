"""Packing through its handler and moto."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from functions.pack_objects.app import handler
from hindsight.bootstrap import stores
from hindsight.lake.object_store import PREDICTIONS
from tests.functions.conftest import Context
from tests.functions.labelling import configure
from tests.functions.test_profile_predictions import write_log
from tests.unit.labels.builders import MODEL

pytestmark = pytest.mark.usefixtures("deployed")
Sample = Callable[[str], dict[str, Any]]


@dataclass(frozen=True)
class Hurried(Context):
    def get_remaining_time_in_millis(self) -> int:
        return 1


def test_the_sample_packs_the_log(sample: Sample, context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    for number in range(5):
        write_log(str(number), *range(10 * number, 10 * number + 10))

    answer = handler(sample("pack_objects"), context)

    assert answer == {"objects": 5, "packs": 1, "is_complete": True, "unreadable": 0}
    [key] = stores.lake().keys(f"{PREDICTIONS}/model={MODEL}/")
    assert len(list(stores.lake().read_lines(key))) == 50
    assert "ObjectsUnreadable" not in capsys.readouterr().out
    assert handler(sample("pack_objects"), context)["objects"] == 0


def test_a_hurried_sweep_leaves_the_rest_to_the_next(sample: Sample) -> None:
    configure()
    write_log("1", 1)
    write_log("2", 2)
    assert handler(sample("pack_objects"), Hurried())["is_complete"] is False
    assert len(list(stores.lake().keys(f"{PREDICTIONS}/"))) == 2


def test_damaged_object_is_counted_and_reported(
    sample: Sample, context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    write_log("1", 1)
    lake = stores.lake()
    [key] = lake.keys(f"{PREDICTIONS}/")
    lake.write_bytes(key.replace("/1.", "/2."), b"\x1f\x8bdamaged", "application/x-ndjson")
    assert handler(sample("pack_objects"), context)["unreadable"] == 1
    assert '"ObjectsUnreadable"' in capsys.readouterr().out.replace(" ", "")
