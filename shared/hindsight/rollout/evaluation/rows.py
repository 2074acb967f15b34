"""The matured label records that a version in service is evaluated on."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from hindsight.config.model import ModelConfiguration
from hindsight.core.times import microseconds
from hindsight.entities.label_row import LabelFields
from hindsight.evaluation.weights import Sampling, max_weights
from hindsight.label_records.rows import LabelRows

_HASHES = 2.0**64


def matured_since(labels: Sequence[LabelFields], since: datetime, until: datetime) -> LabelRows:
    """Select the newest label records that have come to count by ``until``, of predictions made from ``since`` on.

    In the order in which they came to count. The version's predictions of an earlier time of service do not count.
    """
    rows = LabelRows.of(labels)
    is_recent = rows.times("occurred_at").microseconds >= microseconds(since)
    return rows.at(rows.has_value & is_recent & rows.came_to_count(since, until)).by_maturity()


def due_by(rows: LabelRows, until: datetime) -> LabelRows:
    """Select the records of the predictions that are due by a moment, with a label or without."""
    return rows.at(rows.times("outcome_due_at").microseconds <= microseconds(until))


def evenly_sampled(rows: Sequence[LabelFields], configuration: ModelConfiguration) -> LabelRows:
    """Select the rows on which two versions may be compared without weights.

    Of predictions that have a label only because they were picked for review, each stands for ``1/π`` others, and π
    depends on the score and so on the version; of those whose decision shows the outcome, each for ``1/p``, and the
    version decides. A row is kept with the probability of its weight over the largest there is (rejection sampling, von
    Neumann, 1951): what remains was picked evenly, as the audit picks, or exploration. Rows that would have a label
    anyway are all kept. A hash of the id decides, so that it is the same at every evaluation.
    """
    records = LabelRows.of(rows)
    sampling = Sampling.of(records)
    of_audit, of_exploration = max_weights(configuration, sampling)
    chance = records.thinning.astype(np.float64) / _HASHES
    heaviest = sampling.most_logged_for * np.where(sampling.reviewed_alone, of_audit, of_exploration)
    return records.at(chance * heaviest <= sampling.weights(configuration))


def first_of_entities(rows: Sequence[LabelFields]) -> LabelRows:
    """Select of each entity the row that came to count first; rows without an entity are each their own.

    A canary gives entities, not predictions, to one version or the other: what one entity adds a second time depends
    on the entity, and a version that was given the harder ones would look worse the longer its rollout lasts.
    """
    records = LabelRows.of(rows)
    entities = records.entities
    is_first = ~entities.is_given
    is_first[np.unique(entities.hashes, return_index=True)[1]] = True
    return records.at(is_first)
