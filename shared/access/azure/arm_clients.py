"""Clients of Azure Resource Manager: one set for the service's own identity, one per signed-in user.

The management SDKs take a second and 45 MB to import: a thread does it, begun with the first request of any kind, and
whoever asks ARM waits for it. All clients share one transport. A user's set is kept for some minutes under a digest of
their token, the least recently used goes first.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Container
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import AioHttpTransport

from shared.access.azure.arm_pages import every_item
from shared.access.azure.credential import EntraCredential
from shared.access.azure.on_behalf_of import Assertions, on_behalf_of, sign_in_refusal
from shared.access.settings import AccessSettings
from shared.base import correlation, time_limit
from shared.base.azure_troubles import REASONED, PromptRetries, prompt_options, prompt_transport, troubled
from shared.base.caller import Caller, CallerKind
from shared.base.in_time import in_time
from shared.base.ports import Clock, Dependency, Trouble, Unavailable
from shared.base.refusals import Refusal

IMPORT_SECONDS = 30.0
"""Of a process that has just started, which costs no request its time for Azure."""
KEPT_SECONDS = 300.0
KEPT_USERS = 256
_NOT_SIGNED_IN = "the service's own identity cannot sign in"


@cache
def importing() -> Future[None]:
    """Of the management SDKs, in a thread of its own: an event loop that imported them would stand still meanwhile."""
    thread = ThreadPoolExecutor(1, "import")
    try:
        return thread.submit(_import)
    finally:
        thread.shutdown(wait=False)


def _import() -> None:
    import azure.mgmt.authorization.v2022_04_01.aio  # noqa: PLC0415 - slow to import
    import azure.mgmt.authorization.v2022_05_01_preview.aio  # noqa: PLC0415 - slow to import
    import azure.mgmt.compute.aio  # noqa: F401, PLC0415 - slow to import


@dataclass(slots=True)
class ArmClients:
    """The SDKs' clients under one credential, made as they are asked for."""

    credential: AsyncTokenCredential
    arm: str
    transport: AioHttpTransport
    made: float = 0.0
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def compute(self, subscription: str) -> Any:
        from azure.mgmt.compute.aio import ComputeManagementClient  # noqa: PLC0415 - slow to import

        return self._client("compute", ComputeManagementClient, subscription)

    def authorization(self, subscription: str) -> Any:
        from azure.mgmt.authorization.v2022_04_01.aio import (  # noqa: PLC0415 - slow to import
            AuthorizationManagementClient,
        )

        return self._client("authorization", AuthorizationManagementClient, subscription)

    def roles(self, subscription: str) -> Any:
        """Permissions and definitions of roles in the version that tells their conditions; the stable one does not."""
        from azure.mgmt.authorization.v2022_05_01_preview.aio import (  # noqa: PLC0415 - slow to import
            AuthorizationManagementClient,
        )

        return self._client("roles", AuthorizationManagementClient, subscription)

    def _client(self, kind: str, make: Any, subscription: str) -> Any:
        client = self._clients.get((kind, subscription))
        if client is None:
            client = self._clients[kind, subscription] = make(
                self.credential,
                subscription,
                base_url=self.arm,
                credential_scopes=[self._scope],
                transport=self.transport,
                per_call_policies=[_Correlated()],
                **prompt_options(),
            )
        return client

    @property
    def _scope(self) -> str:
        return f"{self.arm}/.default"

    async def ask(self, path: str, version: str, body: Any = None, **query: str) -> Any:
        """GET, or with a body POST, of something for which a whole SDK would be too much; answers its JSON.

        A path without a slash is the whole address of a list's next page. Raises what the SDKs raise; a redirect is
        not followed.
        """
        from azure.core.rest import HttpRequest  # noqa: PLC0415 - slow to import

        address, parameters = f"{self.arm}{path}", {"api-version": version, **query}
        if not path.startswith("/"):
            address, parameters = path, {}
        request = HttpRequest("GET" if body is None else "POST", address, params=parameters, json=body)
        response = await self._pipeline().send_request(request)
        response.raise_for_status()
        return response.json()

    async def ask_all(self, path: str, version: str, **query: str) -> list[Any]:
        """Every item of a list in pages. Raises what `ask` raises, and Unavailable where it cannot be had whole."""

        async def ask(page: str) -> Any:
            return await self.ask(page or path, version, **query)

        return await every_item(ask, self.arm)

    def _pipeline(self) -> Any:
        if (pipeline := self._clients.get(("rest", ""))) is None:
            from azure.core.pipeline.policies import HeadersPolicy  # noqa: PLC0415 - slow to import
            from azure.mgmt.core import AsyncARMPipelineClient  # noqa: PLC0415 - slow to import
            from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy  # noqa: PLC0415 - slow to import

            policies = [
                HeadersPolicy({"Accept": "application/json"}),
                _Correlated(),
                PromptRetries(),
                AsyncARMChallengeAuthenticationPolicy(self.credential, self._scope),
            ]
            pipeline = AsyncARMPipelineClient(base_url=self.arm, policies=policies, transport=self.transport)
            self._clients["rest", ""] = pipeline
        return pipeline


class _Correlated(SansIOHTTPPolicy[Any, Any]):
    """ARM is told the id of the request for which it is asked, and keeps it in its activity log."""

    def on_request(self, request: Any) -> None:
        if current := correlation.current.get():
            request.http_request.headers[correlation.HEADER] = current


class ArmAccess:
    """Who asks ARM: the service itself, or a user through on-behalf-of. Clients are never closed: they own nothing."""

    def __init__(
        self,
        settings: AccessSettings,
        service: AsyncTokenCredential,
        assertions: Assertions,
        clock: Clock,
        transport: AioHttpTransport | None = None,
    ) -> None:
        """`transport`, of `prompt_transport`, is closed with this; by default it trusts what the process trusts."""
        self._settings, self._assertions, self._clock = settings, assertions, clock
        self._transport = transport or prompt_transport()
        self.service = ArmClients(EntraCredential(service), settings.arm, self._transport)
        self._users: OrderedDict[bytes, ArmClients] = OrderedDict()

    def of(self, caller: Caller) -> ArmClients:
        """A user's own rights are ARM's to judge; an application has no token that could be exchanged."""
        if caller.kind is CallerKind.APPLICATION:
            return self.service
        key = hashlib.sha256(caller.token.reveal().encode()).digest()
        clients = self._users.pop(key, None)
        if clients is None or self._clock.now() - clients.made > KEPT_SECONDS:
            credential = EntraCredential(on_behalf_of(caller, self._settings, self._assertions, self._transport))
            clients = ArmClients(credential, self._settings.arm, self._transport, self._clock.now())
        self._users[key] = clients
        while len(self._users) > KEPT_USERS:
            self._users.popitem(last=False)
        return clients

    async def close(self) -> None:
        await self._transport.close()


@asynccontextmanager
async def asking_arm(
    reasoned: Container[int] = REASONED, *, least: float = 0.0, late: Trouble = Trouble.SLOW
) -> AsyncIterator[None]:
    """Bounds a question to ARM and translates breakage into Unavailable; ARM's own no's pass through."""
    if not (sdks := importing()).done():
        with time_limit.put_off(IMPORT_SECONDS):
            await asyncio.wrap_future(sdks)
    try:
        async with in_time(Dependency.ARM, least=least, late=late):
            yield
    except ClientAuthenticationError:
        raise
    except HttpResponseError as error:
        if error.status_code in reasoned and (error.status_code not in REASONED or has_words(error)):
            raise
        raise troubled(error) from error
    except AzureError as error:
        raise troubled(error) from error
    except ValueError as error:  # what is no JSON, or none that the SDK's models could take
        raise Unavailable(Dependency.ARM, "its answer cannot be read") from error


def has_words(error: HttpResponseError) -> bool:
    """Whether it is ARM's own answer, and not that of something on the way."""
    return error.error is not None and bool(error.error.code)


@asynccontextmanager
async def as_the_service() -> AsyncIterator[None]:
    """That our own identity cannot sign in is nothing that a caller could mend: Unavailable."""
    try:
        yield
    except ClientAuthenticationError as error:
        raise Unavailable(Dependency.ARM, _NOT_SIGNED_IN) from error


def signed_out(error: ClientAuthenticationError, caller: Caller) -> Refusal:
    """What to say when a call failed that was made for the caller. Raises Unavailable where the fault is ours: for an
    application the service asks as itself.
    """
    if caller.kind is CallerKind.APPLICATION:
        raise Unavailable(Dependency.ARM, _NOT_SIGNED_IN) from error
    return sign_in_refusal(error, caller)
