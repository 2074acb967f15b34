"""The models' configurations and their list, put together."""

from functools import cache

from hindsight.bootstrap import stores
from hindsight.registry.configuration_change import ConfigurationChanges
from hindsight.reporting.model_list import ModelList
from hindsight.retention.retirement import Retirements


@cache
def configuration_changes() -> ConfigurationChanges:
    """Build the changes of configurations."""
    return ConfigurationChanges(stores.configurations(), stores.registry())


@cache
def retirements() -> Retirements:
    """Build the intake of requests to retire models."""
    return Retirements(
        stores.configurations(),
        stores.trigger_store(),
        stores.state_machine(),
        stores.relabel_store(),
        stores.relabelling_state_machine(),
        stores.job_store(),
        stores.erasure_queue(),
        stores.client_timestamps(),
    )


@cache
def model_list() -> ModelList:
    """Build the list of models."""
    return ModelList(
        stores.configurations(),
        stores.registry(),
        stores.trigger_store(),
        stores.check_store(),
        stores.approvals(),
        stores.evaluation_store(),
    )
