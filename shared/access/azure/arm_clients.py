"""Clients of Azure Resource Manager: one set for the service's own identity, one per signed-in user.

The management SDKs take a second and 45 MB to import. A thread imports them, started by the first request of any kind,
and calls to ARM wait for it. All clients share one transport. The set of a user is cached for some minutes by a digest
of their token; the least recently used is dropped first.
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
"""Limit for the imports of a process that has just started. They do not count as time of the request."""
KEPT_SECONDS = 300.0
KEPT_USERS = 256
_NOT_SIGNED_IN = "the service's own identity cannot sign in"


@cache
def importing() -> Future[None]:
    """Starts the import of the management SDKs in a thread, because it would block the event loop. Starts it once."""
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
    """The SDKs' clients for one credential, each made on first use."""

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
        """Returns the client for permissions and role definitions. Only this preview version returns conditions."""
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
        """Sends a GET, or a POST if there is a body, and returns the JSON: for calls that need no SDK of their own.

        A path without a leading slash is the complete address of a list's next page. Raises what the SDKs raise. It
        does not follow redirects.
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
        """Returns every item of a list in pages. Raises what `ask` raises, and Unavailable if it is incomplete."""

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
    """Sends the correlation id to ARM, which stores it in its activity log."""

    def on_request(self, request: Any) -> None:
        if current := correlation.current.get():
            request.http_request.headers[correlation.HEADER] = current


class ArmAccess:
    """The clients for each identity: the service's own, or a user's through on-behalf-of. They share the transport, so
    they need no closing of their own.
    """

    def __init__(
        self,
        settings: AccessSettings,
        service: AsyncTokenCredential,
        assertions: Assertions,
        clock: Clock,
        transport: AioHttpTransport | None = None,
    ) -> None:
        """`transport` comes from `prompt_transport`, and is closed with this object."""
        self._settings, self._assertions, self._clock = settings, assertions, clock
        self._transport = transport or prompt_transport()
        self.service = ArmClients(EntraCredential(service), settings.arm, self._transport)
        self._users: OrderedDict[bytes, ArmClients] = OrderedDict()

    def of(self, caller: Caller) -> ArmClients:
        """Returns the clients for a caller: a user's own, or the service's for an application, which has no token that
        could be exchanged.
        """
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
    """Bounds the calls to ARM inside, and translates failures into Unavailable.

    Refusals of ARM with a status in `reasoned` pass through as HttpResponseError, failed sign-ins as
    ClientAuthenticationError. `least` and `late` are those of `in_time`.
    """
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
    except ValueError as error:  # not JSON, or not what the SDK's models can read
        raise Unavailable(Dependency.ARM, "its answer cannot be read") from error


def has_words(error: HttpResponseError) -> bool:
    """Returns True if ARM itself sent the error, and not a proxy."""
    return error.error is not None and bool(error.error.code)


@asynccontextmanager
async def as_the_service() -> AsyncIterator[None]:
    """Translates a failed sign-in of the service's own identity into Unavailable: the caller cannot fix it."""
    try:
        yield
    except ClientAuthenticationError as error:
        raise Unavailable(Dependency.ARM, _NOT_SIGNED_IN) from error


def signed_out(error: ClientAuthenticationError, caller: Caller) -> Refusal:
    """Returns the refusal for a call that failed to sign in as the caller. Raises Unavailable for an application: the
    service calls with its own identity then.
    """
    if caller.kind is CallerKind.APPLICATION:
        raise Unavailable(Dependency.ARM, _NOT_SIGNED_IN) from error
    return sign_in_refusal(error, caller)
