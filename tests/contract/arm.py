"""The ARM adapters, made as the composition root makes them, before the stand-ins of Entra ID and ARM."""

import ssl
from pathlib import Path

import aiohttp
from azure.identity.aio import ClientSecretCredential

from dev.demo import (
    API_CLIENT,
    API_SECRET,
    API_URI,
    OTHER_SUBSCRIPTION,
    RELAY_OPENS,
    SERVICE,
    SUBSCRIPTION,
    TENANT,
    Application,
    Assignment,
    Person,
)
from dev.entra.tokens import user_token
from dev.stack import Port
from shared.access.azure.arm_clients import ArmAccess
from shared.access.azure.boot_logs import ArmBootLogs
from shared.access.azure.constraints import ArmConstraints
from shared.access.azure.on_behalf_of import no_assertions
from shared.access.azure.power import ArmCommands
from shared.access.azure.rights import ArmRights
from shared.access.azure.shared_constraints import ArmSharedConstraints
from shared.access.azure.shared_questions import SharedQuestions
from shared.access.azure.shared_rights import ArmSharedRights
from shared.access.azure.shared_vms import ArmSharedVms
from shared.access.azure.vms import ArmVms
from shared.access.ports import Rights  # noqa: TC001 - read at run time
from shared.base.azure_troubles import READ_SECONDS, prompt_transport
from shared.base.caller import Caller, CallerKind, Secret
from shared.base.http_json import Http
from shared.base.vm import VmId
from shared.session.dependencies import LiveAzure
from tests.dev.local_azure import LocalAzure
from tests.fakes import FakeClock, settings

PERIOD = 40.0
"""Between two looks at a live session, in seconds."""


class TrustingHttp(Http):
    """A session of this process, whose trust was settled when it started, may not know the stand-ins' authority."""

    def __init__(self, authority: Path) -> None:
        super().__init__()
        trust = ssl.create_default_context(cafile=str(authority))
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust))


class Arm:
    def __init__(
        self,
        azure: LocalAzure,
        arm: str | None = None,
        *,
        cache_seconds: float = 0,
        secret: str = API_SECRET,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        """`secret` is that of the service's own identity; on-behalf-of has its own."""
        self._stack = azure.stack
        self.authority = azure.stack.ca
        self.world = azure.world
        self.clock = FakeClock()
        about = settings(
            ENTRA_AUTHORITY=azure.stack.authority,
            ENTRA_INSTANCE_DISCOVERY="off",
            ARM_ENDPOINT=arm or azure.stack.https(Port.ARM),
            ENTRA_TENANTS=TENANT,
            API_CLIENT_ID=API_CLIENT,
            API_AUDIENCE=API_URI,
            API_CLIENT_SECRET=API_SECRET,
        )
        self.service = ClientSecretCredential(
            TENANT,
            SERVICE.client,
            secret,
            authority=azure.stack.authority,
            disable_instance_discovery=True,
            connection_verify=str(azure.stack.ca),
        )
        transport = prompt_transport(read_seconds, connection_verify=str(azure.stack.ca))
        self.access = ArmAccess(about, self.service, no_assertions, self.clock, transport)
        self.vms, self.power = ArmVms(self.access, [SUBSCRIPTION]), ArmCommands(self.access)
        self.http = TrustingHttp(azure.stack.ca)
        self.boot_logs = ArmBootLogs(self.access, self.http)
        self.rights = ArmRights(self.access, cache_seconds, self.clock)
        self.around = ArmConstraints(self.access, [SUBSCRIPTION, OTHER_SUBSCRIPTION], cache_seconds, self.clock)
        self.judge: Rights = self.rights
        """Of the tests that hold for either way in which rights are told."""
        self.questions = questions = SharedQuestions(self.access, PERIOD, self.clock)
        kept = ArmConstraints(self.access, [SUBSCRIPTION, OTHER_SUBSCRIPTION], questions.seconds, self.clock)
        self.shared = LiveAzure(
            vms=ArmSharedVms(self.vms, questions),
            rights=ArmSharedRights(questions),
            around=ArmSharedConstraints(kept, questions),
        )

    def may_connect(self) -> tuple[Assignment, ...]:
        """All assignments, and the service with the relay's role, for which it stands here."""
        whole = f"/subscriptions/{SUBSCRIPTION}"
        return (*self.world.assignments, Assignment(SERVICE.oid, RELAY_OPENS, whole))

    def user(self, person: Person, token: str | None = None) -> Caller:
        text = token or user_token(self._stack, person)
        return Caller(TENANT, person.oid, person.name, CallerKind.USER, frozenset(), Secret(text))

    async def close(self) -> None:
        await self.http.close()
        await self.access.close()
        await self.service.close()


def application(of: Application) -> Caller:
    return Caller(TENANT, of.oid, of.name, CallerKind.APPLICATION, frozenset(of.roles), Secret(""))


def vm(name: str, of: str = "rg-web") -> VmId:
    return VmId(SUBSCRIPTION, of, name)
