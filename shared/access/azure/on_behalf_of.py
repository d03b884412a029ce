"""On-behalf-of: exchanges a user's token for our API for a token for ARM, and translates refusals of Entra."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any

from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import OnBehalfOfCredential

from shared.access.settings import AccessSettings
from shared.base.azure_troubles import PromptRetries
from shared.base.caller import Caller
from shared.base.clouds import FEDERATION
from shared.base.ports import Dependency, Unavailable
from shared.base.refusals import Code, Refusal, refuse

type Assertions = Callable[[], str]
"""Returns the managed identity's token that proves the identity of the app. The SDK calls it synchronously."""


def on_behalf_of(
    caller: Caller, settings: AccessSettings, assertions: Assertions, transport: AioHttpTransport
) -> OnBehalfOfCredential:
    proof: dict[str, Any] = (
        {"client_secret": settings.api_secret} if settings.api_secret else {"client_assertion_func": assertions}
    )
    return OnBehalfOfCredential(
        caller.tenant,
        settings.api_client,
        user_assertion=caller.token.reveal(),
        authority=settings.authority,
        disable_instance_discovery=not settings.instance_discovery,
        transport=transport,
        retry_policy_class=PromptRetries,
        **proof,
    )


def no_assertions() -> str:
    """Stands in for assertions if a secret is set. It is never called."""
    raise NotImplementedError


def managed_identity_assertions(client: str, cloud: str) -> Assertions:
    """Returns a function for tokens of the app's managed identity; `client` is empty for the system-assigned one.

    The SDK caches them for hours; a miss costs one local round trip.
    """
    from azure.identity import ManagedIdentityCredential  # noqa: PLC0415 - only where no secret is set

    credential = ManagedIdentityCredential(client_id=client or None)
    return lambda: credential.get_token(f"{FEDERATION[cloud]}/.default").token


_CALLER_ERRORS = frozenset({"invalid_grant", "interaction_required", "consent_required"})
"""OAuth's error codes if the caller's token is outdated, or the person must do something."""


def sign_in_refusal(error: ClientAuthenticationError, caller: Caller) -> Refusal:
    """Returns the refusal if Entra demands a stronger sign-in (described in `claims`), or finds the token outdated.

    ARM may also demand one, in its challenge, if something about the person has changed since they signed in. Raises
    Unavailable if the fault is ours, such as an expired secret: the caller cannot fix it.
    """
    body = _error_body(error)
    error_code, claims = body.get("error"), body.get("claims") or _challenge_claims(error)
    if isinstance(claims, str):
        return refuse(Code.MFA_REQUIRED, claims=claims) if caller.answers_challenges else _UNSUPPORTED
    if isinstance(error_code, dict) or error_code in _CALLER_ERRORS:  # an object is ARM's own 401, a text is Entra's
        return refuse(Code.CALLER_NOT_AUTHENTICATED)
    raise Unavailable(Dependency.ENTRA, f"no token: {error_code}") from error


_UNSUPPORTED = refuse(Code.STEP_UP_UNSUPPORTED)
_CLAIMS = re.compile(r'claims="([A-Za-z0-9+/=_-]+)"')


def _challenge_claims(error: ClientAuthenticationError) -> str | None:
    """Returns the claims of a challenge (WWW-Authenticate), decoded from base64; None if there are none."""
    response: Any = error.response
    match = _CLAIMS.search(response.headers.get("WWW-Authenticate", "") if response else "")
    if match is None:
        return None
    encoded = match[1].replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:
        return None


def _error_body(error: ClientAuthenticationError) -> dict[str, Any]:
    try:
        body = json.loads(error.response.text()) if error.response else {}
    except (ValueError, AttributeError):
        return {}
    return body if isinstance(body, dict) else {}
