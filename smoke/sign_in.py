"""An access token for the API: from azure-identity, or from the environment variable SMOKE_TOKEN."""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError, DefaultAzureCredential

from smoke.outcome import Failed

TOKEN_VARIABLE = "SMOKE_TOKEN"  # noqa: S105 - a name


def access_token(config: Mapping[str, Any], ca: str | None) -> tuple[str, str]:
    """Returns an access token, and in words how it was obtained. Raises Failed.

    `config` is the answer of /config; `ca` is the path of a further certificate authority, or None.
    """
    if token := os.environ.get(TOKEN_VARIABLE):
        return token, f"by the token in {TOKEN_VARIABLE}"
    scope = _scope(config)
    options: dict[str, Any] = {"connection_verify": ca} if ca else {}
    if config.get("authorityMetadata"):
        options["disable_instance_discovery"] = True
    if "AZURE_AUTHORITY_HOST" not in os.environ:
        options["authority"] = urlsplit(str(config["authority"])).netloc
    try:
        with DefaultAzureCredential(**options) as credential:
            return credential.get_token(scope).token, f"by azure-identity, for {scope}"
    except (CredentialUnavailableError, ClientAuthenticationError, ValueError) as error:
        raise Failed(f"no token for {scope}. Run az login, or set {TOKEN_VARIABLE}. {_first_line(error)}") from None


def _scope(config: Mapping[str, Any]) -> str:
    """Returns the scope `.default`, the only one that applications can request. Raises Failed."""
    try:
        return f"{str(config['scopes'][0]).rpartition('/')[0]}/.default"
    except (KeyError, IndexError, TypeError):
        raise Failed("the service's /config names no scope: is this the API?") from None


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]
