"""The watch over one model: its labels are read, its probation and its trial looked at, its pointer moved."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hindsight.config.model import ModelConfiguration
from hindsight.core.announcements import Announcement, Announcements
from hindsight.core.errors import UnusableArtifact
from hindsight.core.times import format_time
from hindsight.evaluation.sequential.comparison_test import SequentialTest, SequentialTests
from hindsight.evaluation.sequential.progress import Watched, WatchProgress
from hindsight.label_records.label_completeness import MOST_HELD, complete_until, last_label_after
from hindsight.label_records.rows import ENTITY
from hindsight.label_records.window import MAX_BYTES, labels_in_window
from hindsight.lake.object_store import Lake
from hindsight.profiles.logs.hourly import window_profile
from hindsight.registry.champions import champions_left
from hindsight.registry.moves import Account, PointerStep, pass_probation, promote_trial, withdraw_trial
from hindsight.registry.pointer import Pointer, Probation, Trial, TrialMode
from hindsight.registry.store import Registry
from hindsight.registry.version import VersionRecord
from hindsight.rollout.evaluation.evaluate import Look, Seen, look_at_probation, look_at_trial
from hindsight.rollout.evaluation.events import BY_WATCH
from hindsight.rollout.evaluation.verdict import Outcome
from hindsight.rollout.rollback_target import moves_of, step_back

NO_WAY_BACK = "NoWayBack"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelWatch:
    """Decides trials, ends probations and rolls back; ``require_loadable`` raises for what cannot be served.

    Of label records that take more than ``max_bytes`` a sample is held.
    """

    registry: Registry
    lake: Lake
    tests: SequentialTests
    progress: WatchProgress
    announcements: Announcements
    require_loadable: Callable[[VersionRecord], None]
    max_bytes: int = MAX_BYTES

    def look(
        self,
        configuration: ModelConfiguration,
        pointer: Pointer,
        now: datetime,
        has_time: Callable[[], bool] = lambda: True,
    ) -> list[dict[str, Any]]:
        """Look at a champion's probation, then at the trial beside it; do what is decided and return what was seen.

        A champion that is taken back takes the trial against it along, so that nothing is left to look at. Raises
        Conflict if the pointer moves meanwhile: the next look sees where to.
        """
        since = [part.since for part in (pointer.probation, pointer.trial) if part is not None]
        if not since or now <= min(since):
            return []
        seen = self._seen(configuration, pointer, min(since), now, has_time)
        looks = []
        if pointer.probation is not None:
            look, pointer = self._at_probation(seen, pointer, pointer.probation)
            looks.append(look)
        if pointer.trial is not None:
            looks.append(self._at_trial(seen, pointer, pointer.trial))
        return looks

    def _seen(
        self,
        configuration: ModelConfiguration,
        pointer: Pointer,
        since: datetime,
        now: datetime,
        has_time: Callable[[], bool],
    ) -> Seen:
        """Return the labels of all that was predicted since a moment, and until when they are all in."""
        model, window = configuration.model, now - since
        labels = labels_in_window(
            self.lake,
            model,
            now,
            window,
            (),
            also=_fields_of(pointer.trial),
            max_bytes=self.max_bytes,
            has_time=has_time,
        )
        # Whether labels are missing is asked of the last day alone: no need to read the profiles of a long probation.
        window = labels.shortened(window, now)
        shown = min(window, max(configuration.monitoring.window, configuration.outcome_delay + 2 * MOST_HELD))
        due = window_profile(self.lake, model, now - shown, now).all.due
        until = complete_until(
            due,
            labels.rows.sampled(labels.sampled_share),
            now,
            shown,
            last_label_after=last_label_after(configuration),
            sampled_share=labels.sampled_share,
        )
        return Seen(
            configuration=configuration,
            labels=labels.rows,
            until=until,
            now=now,
            sampled_share=labels.sampled_share,
        )

    def _at_probation(self, seen: Seen, pointer: Pointer, probation: Probation) -> tuple[dict[str, Any], Pointer]:
        """Return what was seen of a probation, and the pointer after what was decided."""
        model = seen.configuration.model
        record = self.registry.version(model, pointer.champion)
        stored = self.tests.load(model, Watched.PROBATION)
        look = look_at_probation(replace(seen, stored=stored), pointer, probation, record)
        if not self._stored(model, stored, look.test):
            return self._note(model, Watched.PROBATION, look, pointer.champion, seen.now), pointer
        step = self._step(model, pointer, look, Account(why=look.verdict.reason, by=BY_WATCH, at=seen.now))
        if look.verdict.outcome is Outcome.TAKE_BACK and step is None:
            look = look.without_a_way_back()
            self._tell(model, look, pointer, seen.now)
        shown = self._note(model, Watched.PROBATION, look, pointer.champion, seen.now)
        return shown, pointer if step is None else self.registry.move_pointer(model, step)

    def _step(self, model: str, pointer: Pointer, look: Look, account: Account) -> PointerStep | None:
        """Return the move that a look at a probation asks for, None if it asks for none or none can be made."""
        if look.verdict.outcome is Outcome.KEEP:
            return pass_probation(pointer, account)
        return self._step_back(model, pointer, account) if look.verdict.outcome is Outcome.TAKE_BACK else None

    def _at_trial(self, seen: Seen, pointer: Pointer, trial: Trial) -> dict[str, Any]:
        """Return what was seen of a trial, once what was decided is done."""
        model = seen.configuration.model
        record = self.registry.version(model, trial.version)
        stored = self.tests.load(model, Watched.TRIAL)
        look = look_at_trial(replace(seen, stored=stored), pointer, trial, record)
        shown = self._note(model, Watched.TRIAL, look, trial.version, seen.now)
        if self._stored(model, stored, look.test) and look.verdict.outcome is not Outcome.WAIT:
            account = Account(why=look.verdict.reason, by=BY_WATCH, at=seen.now, decision_id=trial.decision_id)
            keeps = look.verdict.outcome is Outcome.KEEP
            step = self._promotion(pointer, record, account) if keeps else withdraw_trial(pointer, account)
            self.registry.move_pointer(model, step)
        return shown

    def _promotion(self, pointer: Pointer, record: VersionRecord, account: Account) -> PointerStep:
        try:
            self.require_loadable(record)
        except UnusableArtifact as error:
            return withdraw_trial(pointer, replace(account, why=f"it cannot be served: {error.message}"))
        return promote_trial(pointer, account)

    def _step_back(self, model: str, pointer: Pointer, account: Account) -> PointerStep | None:
        """Return the move to the newest champion before that can be served, None if there is none."""
        moves = moves_of(self.registry, model)
        passed_over = ""
        for version in reversed(champions_left(moves)[:-1]):
            target = self.registry.version(model, version)
            try:
                self.require_loadable(target)
            except UnusableArtifact as error:
                passed_over += f"; {version} cannot be served: {error.message}"
                continue
            return step_back(moves, pointer, target, replace(account, why=account.why + passed_over))
        return None

    def _tell(self, model: str, look: Look, pointer: Pointer, now: datetime) -> None:
        """Announce that a champion fails and nothing can take its place, once: at the first look that finds it so."""
        before = self.progress.looks(model).get(Watched.PROBATION.value, {})
        if (before.get("verdict"), before.get("version")) == (look.verdict.outcome.value, pointer.champion):
            return
        announcement = Announcement(
            name=NO_WAY_BACK,
            correlation_id=f"{model}#{pointer.sequence}",
            at=now,
            data={"model": model, "version": pointer.champion, "reason": look.verdict.reason, "at": format_time(now)},
        )
        self.announcements.publish([announcement])

    def _stored(self, model: str, stored: SequentialTest | None, test: SequentialTest | None) -> bool:
        """Store what a look counted; False if another look was faster, whose count the next one goes on from."""
        if test is None or test is stored:
            return True
        return self.tests.save(model, replace(test, updates=test.updates + 1))

    def _note(self, model: str, watched: Watched, look: Look, version: str, now: datetime) -> dict[str, Any]:
        shown = {"at": format_time(now), "version": version, **look.summary()}
        self.progress.note_look(model, watched, shown)
        return {"model": model, "watched": watched.value, **shown}


def _fields_of(trial: Trial | None) -> Collection[str]:
    """List what only a trial needs of label records: a canary's entities, a shadow's answers."""
    if trial is None:
        return ()
    return (ENTITY,) if trial.mode is TrialMode.CANARY else ("shadow",)
