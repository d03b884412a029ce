"""Errors in Entra's shape, with Entra's numbers and, as far as they are public, its sentences.

Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

import uuid
from datetime import UTC, datetime
from typing import Any, NamedTuple


class _Kind(NamedTuple):
    error: str
    """The OAuth code."""
    text: str
    status: int = 400


_TABLE: dict[int, _Kind] = {
    28000: _Kind(
        "invalid_request",
        "Provided value for the input parameter scope is not valid because it contains more than one resource.",
    ),
    50011: _Kind(
        "invalid_request",
        "The redirect URI '{redirect}' specified in the request does not match the redirect URIs configured for the "
        "application '{client}'.",
    ),
    50013: _Kind(
        "invalid_grant",
        "Assertion failed signature validation. [Reason - The key was not found or does not fit.]",
    ),
    50027: _Kind("invalid_request", "JWT token is invalid or malformed."),
    50058: _Kind(
        "login_required",
        "A silent sign-in request was sent but no user is signed in.",
    ),
    50076: _Kind(
        "interaction_required",
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must "
        "use multi-factor authentication to access '{resource}'.",
    ),
    54005: _Kind(
        "invalid_grant",
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing "
        "refresh token.",
    ),
    65004: _Kind("access_denied", "User declined to sign in."),
    70000: _Kind(
        "invalid_grant",
        "Provided grant is invalid or malformed: it was issued to another client.",
    ),
    70003: _Kind("unsupported_grant_type", "The app requested an unsupported grant type '{grant}'."),
    70007: _Kind(
        "unsupported_response_mode",
        "'{mode}' is not a supported value of 'response_mode' here; use query or fragment.",
    ),
    70008: _Kind(
        "invalid_grant",
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive "
        "authorization request for this user and resource.",
    ),
    70011: _Kind(
        "invalid_scope",
        "The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid.",
    ),
    90002: _Kind(
        "invalid_request",
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud.",
    ),
    90014: _Kind(
        "invalid_request",
        "The required field '{field}' is missing from the credential. Ensure that you have all the necessary "
        "parameters for the login request.",
    ),
    500011: _Kind(
        "invalid_resource",
        "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the "
        "application has not been installed by the administrator of the tenant.",
    ),
    500112: _Kind(
        "invalid_client",
        "The reply address '{redirect}' does not match the reply address '{expected}' provided when requesting "
        "Authorization code.",
    ),
    500131: _Kind(
        "invalid_grant",
        "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion "
        "was '{audience}' and the expected audience is '{client}' or one of the Application Uris of this application.",
    ),
    500133: _Kind(
        "invalid_grant",
        "Assertion is not within its valid time range. Ensure that the access token is not expired before using it "
        "for user assertion, or request a new token.",
    ),
    501481: _Kind(
        "invalid_grant",
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
    ),
    700016: _Kind(
        "unauthorized_client",
        "Application with identifier '{client}' was not found in the directory '{tenant}'.",
    ),
    700054: _Kind(
        "unsupported_response_type",
        "response_type '{response_type}' is not enabled for the application.",
    ),
    700084: _Kind(
        "invalid_grant",
        "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of "
        "1.00:00:00, which cannot be extended. It is now expired.",
    ),
    900144: _Kind(
        "invalid_request",
        "The request body must contain the following parameter: '{parameter}'.",
    ),
    1002012: _Kind(
        "invalid_scope",
        "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier (application ID URI).",
    ),
    7000114: _Kind(
        "invalid_grant",
        "Application '{client}' is not allowed to make application on-behalf-of calls.",
    ),
    7000215: _Kind(
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
        "the client secret ID, for a secret added to app '{client}'.",
        401,
    ),
    7000218: _Kind(
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        401,
    ),
    9002313: _Kind("invalid_request", "Invalid request. Request is malformed or invalid."),
    9002325: _Kind(
        "invalid_request",
        "Proof Key for Code Exchange is required for cross-origin authorization code redemption.",
    ),
}


class RefusedError(Exception):
    """A request that Entra refuses. `number` is the AADSTS number, `error` the OAuth code."""

    def __init__(self, number: int, **words: str) -> None:
        self.error, text, self.status = _TABLE[number]
        self.number = number
        self.sentence = f"AADSTS{number}: {text.format(**words)}"
        self.claims: str | None = None
        """What to sign in with (JSON), where a stronger sign-in would help."""
        super().__init__(self.sentence)

    def body(self, correlation: str | None = None) -> dict[str, Any]:
        """Return the JSON body; `correlation` is the caller's own id (`client-request-id`), if it sent one."""
        trace, correlation = str(uuid.uuid4()), correlation or str(uuid.uuid4())
        at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        return {
            "error": self.error,
            "error_description": f"{self.sentence} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}",
            "error_codes": [self.number],
            "timestamp": at,
            "trace_id": trace,
            "correlation_id": correlation,
            **({"claims": self.claims} if self.claims else {}),
        }
