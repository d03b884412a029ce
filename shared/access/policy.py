"""Policies: the demands of owners on the users of consoles, for the tenant, a subscription, a resource group, a scale
set or one VM.

All policies from the tenant down to the VM apply together, so a lower one can only add demands. This includes the
switch: a console that is off at a higher scope stays off. `on` overrides only the service's own default.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Self

from shared.access.rights import Right
from shared.base.vm import InvalidVmId, VmId

type Network = IPv4Network | IPv6Network

TENANT = "/"
APPROVAL_SECONDS = 3600
"""Seconds that a request waits, and that an approval is valid, if the policy names no time."""


class Switch(StrEnum):
    ON = "on"
    OFF = "off"
    INHERITED = "inherited"


class Typing(StrEnum):
    """How typed input is recorded."""

    COUNTED = "counted"
    """Only the number of bytes."""
    ECHOED = "echoed"
    """The lines that the VM echoed."""
    MASKED = "masked"
    """Every line; those without echo, passwords among them, as asterisks."""
    INHERITED = "inherited"


@dataclass(frozen=True, slots=True)
class Policy:
    """The demands of one scope. A field with its default demands nothing."""

    console: Switch = Switch.INHERITED
    reason: bool = False
    """A reason must be given."""
    tickets: tuple[str, ...] = ()
    """One word of the reason must match one of these patterns, with `*` and `?` as in file names: INC-*."""
    networks: tuple[Network, ...] = ()
    """The caller's address must lie in one of these."""
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The VM must carry each of these tags, with one of the values; no value listed: any."""
    regions: tuple[str, ...] = ()
    """The VM must be in one of these."""
    sign_in: Mapping[Right, str] = field(default_factory=dict)
    """The authentication context (c1 to c99) that a right demands."""
    approval: frozenset[Right] = frozenset()
    """Rights that a second person must approve first."""
    approval_seconds: int = APPROVAL_SECONDS
    typed: Typing = Typing.INHERITED
    """How typed input is recorded. If several levels set it, the one that records least applies."""
    mask: tuple[str, ...] = ()
    """Patterns (shared/console/masking.py) of printed bytes that must not be recorded."""
    capture: bool = False
    """The VM's console is recorded also without a viewer. It applies at the scope of one VM only."""


@dataclass(frozen=True, slots=True)
class Level:
    """A policy, and the scope for which it was set."""

    scope: str
    policy: Policy

    @property
    def place(self) -> str:
        """A name of the scope for people."""
        kind, _, name = self.scope.rstrip("/").rpartition("/")
        return f"{_KINDS[kind.rpartition('/')[2]]} {name}" if name else "the tenant"


_KINDS = {
    "subscriptions": "subscription",
    "resourcegroups": "resource group",
    "virtualmachines": "VM",
    "virtualmachinescalesets": "scale set",
}


class InvalidScope(ValueError):
    """Not a scope for which a policy can be set."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The scope of a policy. `text` is its only spelling, in lower case like a console's."""

    text: str
    some_vm: VmId
    """A VM within the scope, which need not exist. If the scope is a VM, it is that VM."""

    @classmethod
    def of_vm(cls, vm: VmId) -> Self:
        return cls(vm.console, vm)

    @property
    def vm(self) -> VmId | None:
        """The VM, if the scope is one."""
        return self.some_vm if self.text == self.some_vm.console else None

    @property
    def above(self) -> tuple[str, ...]:
        """The scopes above this one, the tenant first."""
        scopes = scopes_of(self.some_vm)
        return scopes[: scopes.index(self.text)]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parses a scope. Letter case is free, as in ARM. Raises InvalidScope."""
        low = text.lower()
        for rest in _RESTS:
            with suppress(InvalidVmId):
                some_vm = VmId.parse(text.rstrip("/") + rest)
                if low in scopes_of(some_vm):
                    return cls(low, some_vm)
        raise InvalidScope(f"not a tenant, subscription, resource group, scale set or VM: {text[:80]!r}")


_SOME_VM = "/providers/microsoft.compute/virtualmachines/x"
_SOME_GROUP = f"/resourcegroups/x{_SOME_VM}"
_SOME_SUBSCRIPTION = f"/subscriptions/00000000-0000-0000-0000-000000000000{_SOME_GROUP}"
_RESTS = ("", "/virtualmachines/x", _SOME_VM, _SOME_GROUP, _SOME_SUBSCRIPTION)
"""Endings that turn a scope into the id of some VM: a VM, a scale set, a group, a subscription, the tenant."""


def scopes_of(vm: VmId) -> tuple[str, ...]:
    """Returns the scopes whose policies apply to a VM, the tenant first, in lower case."""
    scale_set = f"{vm.group_id}/providers/Microsoft.Compute/virtualMachineScaleSets/{vm.scale_set}"
    between = (scale_set,) if vm.scale_set else ()
    return tuple(scope.lower() for scope in (TENANT, vm.subscription_id, vm.group_id, *between, vm.resource_id))


def switched_off(levels: Sequence[Level], *, by_default: bool) -> Level | None:
    """Returns the highest level that switches the console off; the tenant's if only the default does."""
    switches = {level.policy.console for level in levels}
    for level in levels:
        if level.policy.console is Switch.OFF:
            return level
    return Level(TENANT, Policy()) if by_default and Switch.ON not in switches else None


def reasons_wanted(levels: Sequence[Level], reason: str | None) -> str | None:
    """Returns a sentence about what the reason lacks; None if it meets all policies."""
    words = (reason or "").split()
    if not words and any(level.policy.reason or level.policy.tickets for level in levels):
        return "A policy demands a reason."
    for level in levels:
        patterns = level.policy.tickets
        if patterns and not any(fnmatchcase(word, pattern) for word in words for pattern in patterns):
            return f"The policy of {level.place} demands a ticket in the reason, like {' or '.join(patterns)}."
    return None


def network_refusing(levels: Sequence[Level], address: str | None) -> Level | None:
    """Returns the first level that does not allow this address. An unknown address is in no network."""
    for level in levels:
        if level.policy.networks and not _within(level.policy.networks, address):
            return level
    return None


def _within(networks: Sequence[Network], address: str | None) -> bool:
    try:
        caller_address = ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(caller_address, "ipv4_mapped", None)
    return any((mapped or caller_address) in network for network in networks)


def tag_missing(levels: Sequence[Level], tags: Mapping[str, str]) -> str | None:
    """Returns the first tag that a policy demands and the VM lacks, as text. Azure ignores the case of tag names."""
    carried = {name.lower(): value for name, value in tags.items()}
    for level in levels:
        for name, values in level.policy.tags.items():
            value = carried.get(name.lower())
            if value is None or (values and value not in values):
                return f"{name}={' or '.join(values)}" if values else name
    return None


def region_name(text: str) -> str:
    """Returns a region's name in the form uksouth. Azure also writes "UK South"."""
    return text.lower().replace(" ", "")


PREVIEW = "preview"
_CLOSED_IN_PREVIEW = ("uksouth", "ukwest", "uknorth", "uksouth2")
"""The preview of 2018 served the public regions "except UK regions"; today Azure's console is in all regions of the
public cloud, the UK's among them (SupportArticles-docs, serial-console-linux.md, 02/2025).
"""


def closed_regions(named: Sequence[str]) -> frozenset[str]:
    """Returns the regions as `region_name` spells them. `preview` stands for those that the preview left out."""
    spelt = {region_name(each) for each in named}
    return frozenset(spelt - {PREVIEW} | {*(_CLOSED_IN_PREVIEW if PREVIEW in spelt else ())})


def region_refusing(levels: Sequence[Level], region: str) -> Level | None:
    for level in levels:
        if level.policy.regions and region_name(region) not in level.policy.regions:
            return level
    return None


def sign_in_wanted(levels: Sequence[Level], right: Right, contexts: frozenset[str]) -> str | None:
    """Returns the first authentication context that the right demands and the sign-in did not satisfy."""
    contexts_demanded = (level.policy.sign_in.get(each) for level in levels for each in _implied(right))
    return next((context for context in contexts_demanded if context and context not in contexts), None)


def approval_seconds(levels: Sequence[Level], right: Right) -> int | None:
    """Returns the seconds that an approval may wait and is valid, the least of all levels; None if none is demanded."""
    demanding = (level.policy for level in levels if not level.policy.approval.isdisjoint(_implied(right)))
    return min((policy.approval_seconds for policy in demanding), default=None)


def _implied(right: Right) -> tuple[Right, ...]:
    """Returns the rights whose demands apply. A writer sees all that a watcher sees, so writing includes watching."""
    return (Right.WATCH, Right.WRITE) if right is Right.WRITE else (right,)
