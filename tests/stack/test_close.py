from bench.close import NEW, OLD, ClosedLoop
from local.client import StackClient


def test_the_loop_closes_on_labels_of_a_changed_world_and_its_seconds_add_up(client: StackClient) -> None:
    closing = ClosedLoop(client, seed=3, volume=200)
    first = closing.close(closing.make("old", OLD, 400, 1.0), by_hand=True)

    second = closing.close(closing.make("new", NEW, 400, -1.0))

    assert second["version"] > first["version"]
    parts = [second[f"{name}_seconds"] for name in ("send", "label", "check", "run")]
    assert abs(sum(parts) - second["close_seconds"]) < 0.3
    assert {"Snapshot", "TrainCandidates", "Validate"} <= second["states"].keys()
