"""A version that serves, trained in a moment on label records of the lake, for the tests of the HTTP functions."""

from dataclasses import replace
from datetime import timedelta

from hindsight.bootstrap import stores
from hindsight.config.training import Candidate
from hindsight.datasets.building.snapshot import take_snapshot
from hindsight.datasets.dataset import Manifest
from hindsight.datasets.members import index_rows
from hindsight.registry.moves import AuditInfo, promote
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.rollout.deployment import servable
from hindsight.training.train import TrainingJob, train_candidate
from tests.unit.training.world import START, learnable, run, store

FIRST_AS_OF = START + timedelta(days=30)


def serve_version(number: int, model: str = "bike-demand", *, flip: bool = False) -> str:
    """Train and deploy the ``number``-th version of a configured model; ``flip`` teaches it the opposite."""
    lake, registry = stores.lake(), stores.registry()
    revision = stores.configurations().current(model)
    retraining = run(FIRST_AS_OF + timedelta(days=number), f"decision-{number}").replace(model=model)
    store(lake, [replace(row, model=model, seq=number) for row in learnable(600, flip=flip)])
    taken = take_snapshot(lake, revision, retraining.as_of)
    assert isinstance(taken, Manifest), taken
    registry.put_dataset(model, index_rows(lake, stores.member_store(), taken))
    job = TrainingJob(
        run=retraining,
        manifest=taken,
        configuration=revision.configuration,
        candidate=Candidate.LOGISTIC_REGRESSION,
        code_version="test",
    )
    trained = train_candidate(lake, job)
    artifact = {"artifact_key": trained.artifact_key, "artifact_digest": trained.artifact_digest}
    record = VersionRecord(
        version=trained.version,
        created_at=retraining.as_of,
        candidate=trained.candidate,
        decision_id=retraining.decision_id,
        dataset_id=taken.dataset_id,
        configuration_revision=revision.revision,
        code_version="test",
        verdict=Verdict.PROMOTE,
        **artifact,
    )
    registry.put_version(model, record)
    audit = AuditInfo(
        reason=retraining.reason, actor="pipeline", at=retraining.as_of, decision_id=retraining.decision_id
    )
    registry.move_pointer(model, promote(registry.pointer(model), servable(record), audit))
    return trained.version
