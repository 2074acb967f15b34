"""Authorize apps, reviewers and operators by their API key (REST request authorizer)."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import stores
from hindsight.runtime.http.audiences import policy_for, stage_of

KEY_HEADER = "x-api-key"

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Build the policy of what the caller's key allows; the key itself is never logged."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    audience = stores.api_keyring().audience_of(headers.get(KEY_HEADER) or "")
    if audience is None:
        logger.warning("unknown_key_denied", extra={"route": event.get("resource")})
    return policy_for(audience, stage_of(event["methodArn"]))
