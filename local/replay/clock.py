"""One tick of the simulated clock: what the schedules of a stack do by themselves."""

from datetime import datetime

from local.client import StackClient
from local.replay.arrivals import Arrivals


def tick(client: StackClient, arrivals: Arrivals, model: str, now: datetime) -> list[str]:
    """Run a model's schedules as of a moment; list the retraining runs that they began, or that are open."""
    client.run_schedule("CloseWindows", now, model)
    arrivals.wait_for_profiles()
    client.run_schedule("Monitor", now, model)
    client.run_schedule("EvaluateRollouts", now, model)
    decisions = client.run_schedule("CheckTriggers", now, model)["decisions"]
    # An alarm starts a run by itself, before the schedule looks: that is the open one.
    runs = [one["decision_id"] if one["triggered"] else one.get("open_run") for one in decisions]
    return [run for run in runs if run is not None]
