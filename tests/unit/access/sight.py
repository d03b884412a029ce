"""What the checks look at, in order: a VM, a caller, a service. Tests name only what is wrong."""

from typing import Any

from shared.access.approval import Approval
from shared.access.checks import Inspected, Service
from shared.access.policy import Level, Policy, scopes_of
from shared.access.rights import Right
from shared.base.caller import Caller, CallerKind, Secret
from shared.base.vm import Os, Power, Vm, VmId

WEB = VmId("5b5c0000-0000-4000-8000-00000000000a", "RG-Web", "Web-01")
INSTANCE = VmId(WEB.subscription, WEB.group, "3", "Workers")
TENANT, SUBSCRIPTION, GROUP, SCALE_SET, _ = scopes_of(INSTANCE)
NOW = 1_800_000_000.0


def vm(of: VmId = WEB, **changes: Any) -> Vm:
    usual: dict[str, Any] = {
        "location": "westeurope",
        "os": Os.LINUX,
        "power": Power.RUNNING,
        "provisioning": "Succeeded",
        "boot_diagnostics": True,
    }
    return Vm(of, **{**usual, **changes})


def caller(**changes: Any) -> Caller:
    usual: dict[str, Any] = {
        "tenant": "t1",
        "oid": "ada",
        "name": "Ada",
        "kind": CallerKind.USER,
        "roles": frozenset(),
        "token": Secret("token"),
    }
    return Caller(**{**usual, **changes})


def service(**changes: Any) -> Service:
    usual: dict[str, Any] = {
        "cloud": "AzureCloud",
        "clouds": frozenset({"AzureCloud"}),
        "closed_regions": frozenset({"uksouth"}),
        "on_by_default": True,
    }
    return Service(**{**usual, **changes})


def level(scope: str = TENANT, **demands: Any) -> Level:
    return Level(scope, Policy(**demands))


def approval(right: Right = Right.WRITE, **changes: Any) -> Approval:
    """Asked by Ada now, waiting for a minute, good for an hour."""
    usual: dict[str, Any] = {
        "id": "a1",
        "vm": WEB,
        "right": right,
        "subject": "t1.ada",
        "name": "Ada",
        "reason": "INC-1",
        "asked_at": NOW,
        "waits_until": NOW + 60,
        "good_seconds": 3600,
    }
    return Approval(**{**usual, **changes})


def inspected(**changes: Any) -> Inspected:
    usual: dict[str, Any] = {
        "vm": vm(),
        "caller": caller(),
        "right": Right.WRITE,
        "missing": (),
        "service": service(),
        "now": NOW,
    }
    return Inspected(**{**usual, **changes})
