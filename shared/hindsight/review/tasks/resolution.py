"""Resolution of several answers into one, and adjudication where they disagree."""

from collections import Counter
from collections.abc import Sequence
from statistics import median, median_low
from typing import Any

from hindsight.config.labels import LabelValue, Rule, canonical_text
from hindsight.config.metrics import Task
from hindsight.entities.feedback import FeedbackValue
from hindsight.labels.aggregate import rule_label
from hindsight.labels.resolve import TimedPrediction
from hindsight.review.tasks.annotation import occurrence
from hindsight.review.tasks.task import Answer, Resolution, ReviewTask
from hindsight.review.tasks.transitions import resolved


def resolve_task(task: ReviewTask, rule: Rule, kind: Task, prediction: TimedPrediction) -> ReviewTask:
    """Resolve a task if its answers suffice, else leave it as it is."""
    found = verdict(task.answers, task.overlap, rule, kind)
    if found is None or not task.is_open:
        return task
    value, label = found
    at = max(answer.at for answer in task.answers)
    resolution = Resolution(
        value=value, label=label, event=rule.event, occurred_at=occurrence(rule, prediction, at), at=at
    )
    return resolved(task, resolution)


def verdict(answers: Sequence[Answer], overlap: int, rule: Rule, kind: Task) -> tuple[FeedbackValue, LabelValue] | None:
    """Decide the value and the label of a task's answers, None while another answer is needed.

    Before ``overlap`` answers are in, nothing is decided. Classes are decided by a strict majority, which of two is
    both; without one, the next answer is the adjudicator's and final. Numbers are decided by their median.
    """
    if len(answers) < overlap:
        return None
    if kind is Task.REGRESSION:
        return _median(answers, rule)
    if len(answers) > overlap:
        return answers[-1].value, answers[-1].label
    counts = Counter(canonical_text(answer.label) for answer in answers)
    named, votes = counts.most_common(1)[0]
    if 2 * votes <= len(answers):
        return None
    winner = next(answer for answer in answers if canonical_text(answer.label) == named)
    return winner.value, winner.label


def _median(answers: Sequence[Answer], rule: Rule) -> tuple[FeedbackValue, LabelValue]:
    labels: list[Any] = [answer.label for answer in answers]
    middle = float(median(labels))
    if middle not in labels and rule_label(rule, [middle], Task.REGRESSION) == middle:
        return middle, middle
    # Where a mapping stands between, no value may lie between two answers: then the lower is taken.
    winner = next(answer for answer in answers if answer.label == median_low(labels))
    return winner.value, winner.label
