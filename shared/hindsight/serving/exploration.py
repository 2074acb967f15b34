"""Exploration: a decision by which the outcome is seen, taken for a share of the entities whatever the version decides.

Loans that are declined show no default, and a model that is judged and trained on the others alone is judged on those
it was sure of. With a known chance of being granted, each kind of loan has rows that stand for it: epsilon-greedy
exploration with logged propensities (Bottou et al., 2013, "Counterfactual reasoning and learning systems").
"""

from hindsight.config.model import ModelConfiguration
from hindsight.entities.prediction import Decision
from hindsight.ingestion.instance import Assignment, as_decision
from hindsight.serving.line_up import hashed_place


def assign(
    configuration: ModelConfiguration, entity: str, own: Decision, version_share: float | None = None
) -> Assignment:
    """Assign an answer to an entity: the version's own decision, or that of exploration.

    Let e be the share that is explored, d the decision of exploration. The entity's hash decides, independent of all
    that is known of the row, so that the decision taken had the propensity

    - 1 where the version decides d itself: it is taken either way;
    - e where it decides otherwise and the entity is explored: d is taken;
    - 1 - e where it decides otherwise and the entity is not explored: its own decision is taken.

    All of that given the version that answers. In a canary the version answers a ``version_share`` of the entities, by
    another hash: the propensity of the answer is the product. None where nothing is left to chance.
    """
    explored = configuration.exploration
    if explored is None:
        return Assignment(propensity=version_share, version_share=version_share)
    share, decision = (
        1.0 if version_share is None else version_share,
        as_decision(explored.decision, configuration.task),
    )
    if own == decision:
        return Assignment(propensity=share, version_share=version_share)
    is_taken = place_of(configuration.model, entity) < explored.share
    chance = explored.share if is_taken else 1 - explored.share
    taken = decision if is_taken else None
    return Assignment(propensity=share * chance, version_share=version_share, explored=taken)


def place_of(model: str, entity: str) -> float:
    """Compute an entity's place in [0, 1): even over entities, the same in every version and at every share.

    >>> round(place_of("loans", "customer-1"), 3)
    0.282
    """
    return hashed_place(b"exploration", model, entity)
