"""What owners demand of those who use consoles: set for the tenant, a subscription, a group, a scale set, one VM.

Every policy from the tenant down to the VM holds at once, so a lower one can only add demands. The switch is the same:
whatever is off above stays off; `on` opens what the service's own default leaves closed.
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
"""How long a request waits, and how long a yes is good for, where the policy names no time."""


class Switch(StrEnum):
    ON = "on"
    OFF = "off"
    INHERITED = "inherited"


class Typing(StrEnum):
    """What is kept of what is typed."""

    COUNTED = "counted"
    """How many bytes, and nothing of them."""
    ECHOED = "echoed"
    """The lines that the VM echoed."""
    MASKED = "masked"
    """Every line; those without echo, passwords among them, as asterisks."""
    INHERITED = "inherited"


@dataclass(frozen=True, slots=True)
class Policy:
    """The demands of one scope; a field left alone demands nothing."""

    console: Switch = Switch.INHERITED
    reason: bool = False
    """A reason must be given."""
    tickets: tuple[str, ...] = ()
    """One word of the reason must fit one of these patterns, `*` and `?` as in file names: INC-*."""
    networks: tuple[Network, ...] = ()
    """Callers must come from one of these."""
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The VM must carry each of these tags, with one of the values; no value listed: any."""
    regions: tuple[str, ...] = ()
    """The VM must be in one of these."""
    sign_in: Mapping[Right, str] = field(default_factory=dict)
    """The authentication context (c1 to c99) that a right demands."""
    approval: frozenset[Right] = frozenset()
    """Rights for which somebody else must say yes first."""
    approval_seconds: int = APPROVAL_SECONDS
    typed: Typing = Typing.INHERITED
    """What the transcript keeps of what is typed; where several levels say something, the one that keeps least."""
    mask: tuple[str, ...] = ()
    """Patterns (shared/console/masking.py) of what the transcript must not keep of what is printed."""
    capture: bool = False
    """The VM's console is recorded whether anybody is there or not. Counts at a VM's own scope only."""


@dataclass(frozen=True, slots=True)
class Level:
    """A policy, and the scope for which it was set."""

    scope: str
    policy: Policy

    @property
    def place(self) -> str:
        """What a person calls the scope."""
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
    """Where a policy is set; `text` is its one spelling, lower case like a console's."""

    text: str
    some_vm: VmId
    """A VM within it, which need not exist: the VM itself where the scope is one."""

    @classmethod
    def of_vm(cls, vm: VmId) -> Self:
        return cls(vm.console, vm)

    @property
    def vm(self) -> VmId | None:
        """The VM that the scope is, if it is one."""
        return self.some_vm if self.text == self.some_vm.console else None

    @property
    def above(self) -> tuple[str, ...]:
        """The scopes that hold here as well, the tenant first."""
        scopes = scopes_of(self.some_vm)
        return scopes[: scopes.index(self.text)]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Letter case is free, as in ARM. Raises InvalidScope."""
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
"""What makes some VM's id of a scope: nothing, of a scale set, a group, a subscription, the tenant."""


def scopes_of(vm: VmId) -> tuple[str, ...]:
    """The scopes whose policies hold for a VM, the tenant first, in the one spelling."""
    scale_set = f"{vm.group_id}/providers/Microsoft.Compute/virtualMachineScaleSets/{vm.scale_set}"
    between = (scale_set,) if vm.scale_set else ()
    return tuple(scope.lower() for scope in (TENANT, vm.subscription_id, vm.group_id, *between, vm.resource_id))


def switched_off(levels: Sequence[Level], *, by_default: bool) -> Level | None:
    """The outermost level that switches the console off; the tenant's where only the default does."""
    switches = {level.policy.console for level in levels}
    for level in levels:
        if level.policy.console is Switch.OFF:
            return level
    return Level(TENANT, Policy()) if by_default and Switch.ON not in switches else None


def reasons_wanted(levels: Sequence[Level], reason: str | None) -> str | None:
    """What is missing from the reason, in words; None when nothing is."""
    words = (reason or "").split()
    if not words and any(level.policy.reason or level.policy.tickets for level in levels):
        return "A policy demands a reason."
    for level in levels:
        patterns = level.policy.tickets
        if patterns and not any(fnmatchcase(word, pattern) for word in words for pattern in patterns):
            return f"The policy of {level.place} demands a ticket in the reason, like {' or '.join(patterns)}."
    return None


def network_refusing(levels: Sequence[Level], address: str | None) -> Level | None:
    """The level that does not allow this address; an address that is not known is on no list."""
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
    """The first tag that a policy demands and the VM lacks, in words. Azure ignores the case of tags' names."""
    carried = {name.lower(): value for name, value in tags.items()}
    for level in levels:
        for name, values in level.policy.tags.items():
            value = carried.get(name.lower())
            if value is None or (values and value not in values):
                return f"{name}={' or '.join(values)}" if values else name
    return None


def region_name(text: str) -> str:
    """A region's one spelling: Azure writes uksouth, and "UK South" too."""
    return text.lower().replace(" ", "")


PREVIEW = "preview"
_CLOSED_IN_PREVIEW = ("uksouth", "ukwest", "uknorth", "uksouth2")
"""The preview of 2018 served the public regions "except UK regions"; today Azure's console is in all regions of the
public cloud, the UK's among them (SupportArticles-docs, serial-console-linux.md, 02/2025).
"""


def closed_regions(named: Sequence[str]) -> frozenset[str]:
    """In their one spelling; `preview` stands for those that the preview left out."""
    spelt = {region_name(each) for each in named}
    return frozenset(spelt - {PREVIEW} | {*(_CLOSED_IN_PREVIEW if PREVIEW in spelt else ())})


def region_refusing(levels: Sequence[Level], region: str) -> Level | None:
    for level in levels:
        if level.policy.regions and region_name(region) not in level.policy.regions:
            return level
    return None


def sign_in_wanted(levels: Sequence[Level], right: Right, contexts: frozenset[str]) -> str | None:
    """The first authentication context that the right demands and the sign-in did not satisfy."""
    contexts_demanded = (level.policy.sign_in.get(each) for level in levels for each in _implied(right))
    return next((context for context in contexts_demanded if context and context not in contexts), None)


def approval_seconds(levels: Sequence[Level], right: Right) -> int | None:
    """How long an approval may wait and be good for, the shortest that is demanded; None where none is."""
    demanding = (level.policy for level in levels if not level.policy.approval.isdisjoint(_implied(right)))
    return min((policy.approval_seconds for policy in demanding), default=None)


def _implied(right: Right) -> tuple[Right, ...]:
    """Who writes sees all that a watcher sees: what watching demands, writing demands."""
    return (Right.WATCH, Right.WRITE) if right is Right.WRITE else (right,)
