"""Which tenants, clients and resources there are, and what a scope asks for."""

import hmac
import re
from dataclasses import dataclass

from dev.demo import API_CLIENT, API_URI, APPLICATIONS, PAGE_CLIENT, PARTNER_TENANT, TENANT, Application
from dev.entra.refusals import RefusedError
from dev.stack import Port, Stack

TENANT_ALIASES = frozenset({TENANT, "common", "organizations"})
WITH_KEYS = TENANT_ALIASES | {PARTNER_TENANT}
"""Tenants whose keys anybody may read: they are the same for all of them."""
OPENID_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
ARM = "https://management.azure.com"
GRAPH = "00000003-0000-0000-c000-000000000000"
_AZURE_RESOURCES = (
    "https://storage.azure.com",
    "https://eventhubs.azure.net",
    "https://vault.azure.net",
    "https://durabletask.io",
)
_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1)(:\d{1,5})?(/[^#]*)?")


@dataclass(frozen=True)
class Wanted:
    """What a scope asks for: one resource (its audience), permissions on it, and the OpenID extras.

    `granted` is the answer's `scope`: clients file the token under it, so every scope asked for is repeated there.
    """

    audience: str
    permissions: tuple[str, ...]
    openid: frozenset[str]
    granted: str

    @property
    def scp(self) -> str:
        return " ".join(self.permissions)


def check_tenant(tenant: str, served: frozenset[str] = TENANT_ALIASES) -> None:
    """Raise RefusedError unless this is the tenant or one of its aliases."""
    if tenant.lower() not in served:
        raise RefusedError(90002, tenant=tenant)


def check_page(client: str) -> None:
    """Raise RefusedError unless this client may sign people in."""
    if client != PAGE_CLIENT:
        raise RefusedError(700016, client=client, tenant=TENANT)


def is_loopback(uri: str) -> bool:
    """Whether a browser may be sent there: plain http on this machine, no fragment."""
    return _LOOPBACK.fullmatch(uri) is not None


def authenticated(client: str, secret: str | None) -> Application:
    """Return the application whose secret this is, or raise RefusedError."""
    found = next((one for one in APPLICATIONS if one.client == client), None)
    if found is None:
        raise RefusedError(700016, client=client, tenant=TENANT)
    if secret is None:
        raise RefusedError(7000218)
    if not hmac.compare_digest(found.secret.encode(), secret.encode()):
        raise RefusedError(7000215, client=client)
    return found


def wanted(scope: str, stack: Stack) -> Wanted:
    """Read a scope; raise RefusedError for an unknown resource or permission, or for two resources at once."""
    asked = scope.split()
    openid = OPENID_SCOPES.intersection(asked)
    named = [_resource_and_permission(one, stack) for one in asked if one not in OPENID_SCOPES]
    audiences = {audience for audience, _ in named}
    if len(audiences) > 1:
        raise RefusedError(28000)
    audience = audiences.pop() if audiences else GRAPH
    permissions = _permissions(audience, [permission for _, permission in named])
    granted = " ".join(one for one in asked if one != "offline_access")
    return Wanted(audience, permissions, openid, granted)


def _permissions(audience: str, asked: list[str]) -> tuple[str, ...]:
    offered = {API_CLIENT: "Console.Access", GRAPH: "User.Read"}.get(audience, "user_impersonation")
    for one in asked:
        if one.lower() not in {".default", offered.lower()}:
            raise RefusedError(70011, scope=one)
    return (offered,)


def _resource_and_permission(scope: str, stack: Stack) -> tuple[str, str]:
    """`api://x/Console.Access` -> (audience, `Console.Access`). Some callers write two slashes before `.default`."""
    resource, slash, permission = scope.rpartition("/")
    if not slash:
        return GRAPH, permission
    resource = resource.rstrip("/")
    arm_here = stack.https(Port.ARM)
    known = {
        API_URI: API_CLIENT,
        API_CLIENT: API_CLIENT,
        ARM: ARM,
        "https://management.core.windows.net": ARM,
        "https://graph.microsoft.com": GRAPH,
        arm_here: arm_here,
        **{one: one for one in _AZURE_RESOURCES},
    }
    if resource.lower() not in known:
        raise RefusedError(500011, resource=resource, tenant=TENANT)
    return known[resource.lower()], permission
