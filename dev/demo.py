"""Who and what there is in the local Azure: one table that sign-in, ARM, the gateway and the machines read.

Everything here is invented. The ids are fixed so that a link or a script keeps working over restarts.
"""

from dataclasses import dataclass, field
from enum import StrEnum

TENANT = "7a5c0000-0000-4000-8000-000000000001"
PARTNER_TENANT = "7a5c0000-0000-4000-8000-000000000002"
"""Signs its people in at the same Entra ID, with the same keys; holds nothing. Served where it is on the list."""
STRANGER_TENANT = "7a5c0000-0000-4000-8000-0000000000ff"
"""On nobody's list."""
SUBSCRIPTION = "5b5c0000-0000-4000-8000-000000000001"
OTHER_SUBSCRIPTION = "5b5c0000-0000-4000-8000-000000000002"
"""Holds nothing but, for tests, storage accounts."""
SUBSCRIPTION_NAME = "Contoso production"
REGION = "westeurope"

API_CLIENT = "a91c0000-0000-4000-8000-000000000001"
"""The API's app registration: audience of callers' tokens, and the client of on-behalf-of."""
API_URI = f"api://{API_CLIENT}"
API_SCOPE = f"{API_URI}/Console.Access"
API_SECRET = "local-api-secret"  # noqa: S105 - the stand-in's own, valid on this machine only
PAGE_CLIENT = "a91c0000-0000-4000-8000-000000000002"
"""The page's app registration: a public client, code flow with PKCE, no secret."""

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
VM_CONTRIBUTOR = "9980e02c-c2be-4d73-94e8-173b1dc7cf3c"
SERVICE_LOOKS = "0c0c0000-0000-4000-8000-000000000001"
RELAY_OPENS = "0c0c0000-0000-4000-8000-000000000002"
"""The service's own roles, as they are deployed: dev/arm/roles.py."""


@dataclass(frozen=True)
class Person:
    """A demo person, offered on the sign-in page."""

    oid: str
    name: str
    email: str
    about: str
    second_factor: bool = False
    """The tenant lets this person reach Azure Resource Manager with a second factor only."""


@dataclass(frozen=True)
class Application:
    """A service principal that signs in with client credentials; `roles` are app roles of the API."""

    client: str
    oid: str
    name: str
    secret: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assignment:
    """A role assignment: who has which role from which scope downwards; `principal` may be a group."""

    principal: str
    role: str
    scope: str
    condition: str | None = None


class Login(StrEnum):
    PASSWORD = "password"  # noqa: S105 - a kind of login, not a secret
    SSH_KEYS = "ssh-keys"


class Power(StrEnum):
    RUNNING = "running"
    DEALLOCATED = "deallocated"


@dataclass(frozen=True)
class VirtualMachine:
    """A VM as ARM describes it. `eager`: its machine boots with the stack, else when first connected to."""

    name: str
    group: str
    about: str
    power: Power = Power.RUNNING
    provisioning: str = "Succeeded"
    boot_diagnostics: bool = True
    storage_account: str | None = None
    login: Login = Login.PASSWORD
    os: str = "Linux"
    size: str = "Standard_B2s"
    eager: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    location: str = REGION
    storage_uri: str | None = None
    """Boot-diagnostics URI as it is, where it is not that of `storage_account`."""
    image: tuple[str, str] | None = None
    """Publisher and offer; None for the usual image of its OS."""

    @property
    def id(self) -> str:
        return f"{group(self.group)}/providers/Microsoft.Compute/virtualMachines/{self.name}"


def group(name: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"


ADA = Person(
    "0a0c0000-0000-4000-8000-000000000001",
    "Ada Lovelace",
    "ada@contoso.example",
    "Contributor on the whole subscription",
)
GRACE = Person(
    "0a0c0000-0000-4000-8000-000000000002",
    "Grace Hopper",
    "grace@contoso.example",
    "Virtual Machine Contributor on rg-web, Reader on rg-data",
)
ALAN = Person(
    "0a0c0000-0000-4000-8000-000000000003",
    "Alan Turing",
    "alan@contoso.example",
    "Reader on the whole subscription: sees every VM, may open no console",
)
EDITH = Person(
    "0a0c0000-0000-4000-8000-000000000004",
    "Edith Clarke",
    "edith@contoso.example",
    "Contributor on the whole subscription, with a second factor only",
    second_factor=True,
)
PEOPLE = (ADA, GRACE, ALAN, EDITH)

SERVICE = Application(API_CLIENT, "0a0c0000-0000-4000-8000-000000000010", "Serial console API", API_SECRET)
"""Only reads. To restart, start or stop a VM for an application it would need Virtual Machine Contributor there."""
RELAY = Application(
    "a91c0000-0000-4000-8000-000000000003",
    "0a0c0000-0000-4000-8000-000000000011",
    "Serial console relay",
    "local-relay-secret",
    roles=("Relay.Attach",),
)
AUTOMATION = Application(
    "a91c0000-0000-4000-8000-000000000004",
    "0a0c0000-0000-4000-8000-000000000012",
    "Night watch",
    "local-automation-secret",
    roles=("Console.Automation",),
)
"""As a Logic App's managed identity would be: no person behind it."""
APPLICATIONS = (SERVICE, RELAY, AUTOMATION)

VIRTUAL_MACHINES = (
    VirtualMachine("web-01", "rg-web", "boots normally", eager=True, tags={"role": "frontend"}),
    VirtualMachine("web-02", "rg-web", "deallocated", power=Power.DEALLOCATED),
    VirtualMachine("web-03", "rg-web", "boot diagnostics are off", boot_diagnostics=False),
    VirtualMachine("web-04", "rg-web", "created with SSH keys only", login=Login.SSH_KEYS),
    VirtualMachine("web-05", "rg-web", "still being deployed", provisioning="Updating"),
    VirtualMachine(
        "db-01",
        "rg-data",
        "boot diagnostics on a custom account; Grace may only read here",
        storage_account="stcontosodiag",
        eager=True,
    ),
    VirtualMachine("win-01", "rg-web", "Windows Server; its machine prints what the others print", os="Windows"),
)
GROUPS = ("rg-web", "rg-data")
STORAGE_ACCOUNTS = {"stcontosodiag": "rg-data"}
"""Boot-diagnostics accounts of the demo VMs: name to resource group."""

ASSIGNMENTS = (
    Assignment(ADA.oid, CONTRIBUTOR, f"/subscriptions/{SUBSCRIPTION}"),
    Assignment(GRACE.oid, VM_CONTRIBUTOR, group("rg-web")),
    Assignment(GRACE.oid, READER, group("rg-data")),
    Assignment(ALAN.oid, READER, f"/subscriptions/{SUBSCRIPTION}"),
    Assignment(EDITH.oid, CONTRIBUTOR, f"/subscriptions/{SUBSCRIPTION}"),
    Assignment(RELAY.oid, RELAY_OPENS, f"/subscriptions/{SUBSCRIPTION}"),
    Assignment(SERVICE.oid, SERVICE_LOOKS, f"/subscriptions/{SUBSCRIPTION}"),
    Assignment(AUTOMATION.oid, VM_CONTRIBUTOR, group("rg-web")),
)

GUEST_USER, GUEST_PASSWORD = "ops", "console"
"""The local user with a password on every guest but the SSH-keys-only one; root has the same password."""
