"""An hour of a quiet stack, played young and at the end of three months as ``make cost`` does."""

import json
import os
import subprocess
import sys

from local.schedules import DAY, seconds_between
from local.transformed import Place, deployment

TARGET = 4.0
# A busy machine takes more processor seconds for the same work.
BUSY = 1.1


def test_a_quiet_hour_is_played_by_the_template_s_clock_and_comes_to_less_than_its_target() -> None:
    command = [sys.executable, "-m", "bench.cost", "--only", "quiet", "--hours", "1"]
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env=alone).stdout
    found = json.loads(printed.splitlines()[-1])
    schedules = deployment(place=Place(region="us-east-1")).of("AWS::Scheduler::Schedule")
    hourly = {name for name, one in schedules.items() if seconds_between(one["ScheduleExpression"]) < DAY}
    assert {f"clock {name}" for name in hourly} <= found["invocations_played"].keys()
    assert found["invocations_played"]["CloseWindows"] == 2 * 12
    assert found["days_aged"] == 90
    assert set(found["checks"]) == {"steady", "aged"}
    assert found["quantities"]["lambda_requests"] > 0
    assert found["dollars"] <= TARGET * BUSY
