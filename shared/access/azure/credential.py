"""A credential that reports failures of sign-in as Entra ID's. An SDK would report them as failures of the service that
it calls.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from azure.core.exceptions import AzureError, ClientAuthenticationError

from shared.base.azure_troubles import troubled
from shared.base.ports import Dependency

_THROTTLED, _BROKEN = 429, 500


class EntraCredential:
    """Wraps an azure-identity credential. Raises ClientAuthenticationError if Entra refuses, else Unavailable."""

    def __init__(self, credential: Any) -> None:
        self._credential = credential

    async def get_token(self, *scopes: str, **options: Any) -> Any:
        async with _asking_entra():
            return await self._credential.get_token(*scopes, **options)

    async def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        async with _asking_entra():
            return await self._credential.get_token_info(*scopes, options=options)

    async def close(self) -> None:
        await self._credential.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leaves the credential open: its creator closes it."""


@asynccontextmanager
async def _asking_entra() -> AsyncIterator[None]:
    try:
        yield
    except ClientAuthenticationError as error:
        status = error.status_code or 0
        if status == _THROTTLED or status >= _BROKEN:
            raise troubled(error, Dependency.ENTRA) from error
        raise
    except AzureError as error:
        raise troubled(error, Dependency.ENTRA) from error
