"""Relabellings on a stack that are stopped, fail and are resumed."""

from datetime import timedelta
from typing import Any

import pytest

from bench import relabelling_rate
from hindsight.lake.object_store import PREDICTIONS, day_prefix
from local.client import CallFailed, StackClient
from tests.stack import relabellings
from tests.stack.relabellings import MADE, NOTICED, labels, progress
from tests.stack.waiting import eventually

MANY = 80


def resume(client: StackClient, model: str, job_id: str) -> Any:
    return client.call("POST", f"models/{model}/jobs/{job_id}/resume", key="operator")


def test_a_stopped_relabelling_is_resumed_and_counts_everything_once(client: StackClient) -> None:
    model, day = "stopped", MADE + timedelta(days=2)
    relabellings.configure(client, model, threshold=100, default=0)
    names = [f"p-{number}" for number in range(MANY)]
    relabellings.log(client, model, *names, at=day)
    for name in names:
        relabellings.write(client, f"stopped-{name}", relabellings.demand(model, name, 75, day), day=day)
    eventually(lambda: all(labels(client, model, name) for name in (names[0], names[-1])))
    client.run_schedule("CloseWindows", day + timedelta(days=3), model)
    eventually(lambda: all(labels(client, model, name) for name in names))
    relabellings.configure(client, model, threshold=50, default=0)
    days = relabellings.only(day)

    job = relabellings.relabel(client, model, **days)["job_id"]
    with pytest.raises(CallFailed, match=rf"409.*{job}"):
        relabellings.relabel(client, model, NOTICED + timedelta(hours=1))
    eventually(lambda: progress(client, model, job)["progress"]["done"] >= 3)
    machine = client.stack.outputs["RelabellingStateMachine"]
    execution = machine.replace(":stateMachine:", ":execution:") + f":{job}-1"
    client.aws("stepfunctions").stop_execution(executionArn=execution)
    stopped = progress(client, model, job)
    assert stopped["status"] == "stopped"
    assert stopped["progress"]["done"] < stopped["progress"]["total"]

    assert resume(client, model, job) == {"job_id": job}
    done = relabellings.finished(client, model, job)

    assert (done["status"], done["request"]["attempt"]) == ("completed", 2)
    assert done["progress"]["done"] == done["progress"]["total"] > MANY
    changed = {"predictions": MANY, "events": MANY, "labels_changed": MANY}
    assert done["result"] == {**changed, "events_recovered": 0}
    assert {relabellings.label_states(client, model, name)[-1] for name in names} == {(1, "final", 2)}
    with pytest.raises(CallFailed, match="409"):
        resume(client, model, job)


def test_a_file_that_cannot_be_read_fails_the_relabelling_alone_and_once_mended_it_is_resumed(
    client: StackClient,
) -> None:
    model, day = "damaged", MADE + timedelta(days=4)
    relabellings.configure(client, model, threshold=100, default=0)
    relabellings.log(client, model, "p", at=day)
    relabellings.write(client, "damaged", relabellings.demand(model, "p", 75, day), day=day)
    eventually(lambda: labels(client, model, "p"))
    relabellings.configure(client, model, threshold=50, default=0)
    damaged = f"{day_prefix(PREDICTIONS, model, day.date())}damaged.jsonl"
    client.lake.write_bytes(damaged, b"{nonsense\n", "application/x-ndjson")
    days = relabellings.only(day)

    job = relabellings.relabel(client, model, **days)["job_id"]
    failed = relabellings.finished(client, model, job)

    assert failed["status"] == "failed"
    assert failed["failure"].startswith(f"{damaged}: JSONDecodeError")
    assert failed["progress"]["total"] - failed["progress"]["done"] == 1
    assert failed["result"]["labels_changed"] == 1
    client.lake.write_lines(damaged, [{"prediction_id": "p"}])
    resume(client, model, job)
    done = relabellings.finished(client, model, job)
    assert (done["status"], "failure" in done, done["result"]["labels_changed"]) == ("completed", False, 1)
    assert done["progress"]["done"] == done["progress"]["total"] == failed["progress"]["total"]
    assert relabellings.label_states(client, model, "p")[-1][0] == 1


def test_a_worker_that_crashes_fails_the_relabelling_and_says_why(client: StackClient) -> None:
    model, day = "crashing", MADE + timedelta(days=6)
    relabellings.configure(client, model, threshold=100, default=0)
    relabellings.log(client, model, "p", at=day)
    days = relabellings.only(day)
    functions, name = client.aws("lambda"), client.stack.outputs["RelabelFilesFunction"]
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    without = {key: value for key, value in environment.items() if key != "MODELS_TABLE"}

    functions.update_function_configuration(FunctionName=name, Environment={"Variables": without})
    try:
        job = relabellings.relabel(client, model, **days)["job_id"]
        failed = relabellings.finished(client, model, job)
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": environment})

    assert (failed["status"], failed["progress"]["done"]) == ("failed", 0)
    assert failed["failure"].startswith(f"predictions/model={model}/")
    assert "MODELS_TABLE" in failed["failure"]
    resume(client, model, job)
    assert relabellings.finished(client, model, job)["status"] == "completed"


def test_batches_of_small_files_are_relabelled_once(client: StackClient) -> None:
    figures = relabelling_rate.measure(client, made=MADE + timedelta(days=60), files=120, events=2)

    assert relabelling_rate.is_sound(figures), figures
