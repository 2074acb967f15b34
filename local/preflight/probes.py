"""All probes of an account, in the order in which they are printed."""

from local.preflight.check import Probe
from local.preflight.key import check_key
from local.preflight.leftovers import check_leftovers
from local.preflight.names import check_names
from local.preflight.people import check_notifications
from local.preflight.quotas import (
    check_api_gateway,
    check_code_storage,
    check_concurrency,
    check_firehose,
    check_memory,
)
from local.preflight.stack import check_lake, check_stack

PROBES: tuple[Probe, ...] = (
    check_stack,
    check_lake,
    check_leftovers,
    check_names,
    check_concurrency,
    check_memory,
    check_code_storage,
    check_firehose,
    check_api_gateway,
    check_key,
    check_notifications,
)
