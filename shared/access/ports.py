"""Who calls, and what Azure says and does: VMs, rights, locks, power, boot logs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shared.access.approval import Approval
from shared.access.checks import AzureConstraints
from shared.access.commands import Command
from shared.access.diagnostics_account import DiagnosticsAccount, NoDiagnosticsAccount
from shared.access.policy import Level, Policy, Scope
from shared.access.rate_limit import RateLimit
from shared.base.caller import Caller
from shared.base.ports import Unavailable
from shared.base.refusals import Refusal
from shared.base.vm import Vm, VmId


class Callers(Protocol):
    async def identify(self, authorization: str | None) -> Caller | Refusal:
        """Who sent this Authorization header."""
        ...


@dataclass(frozen=True, slots=True)
class Visible:
    """The VMs that a caller may read."""

    vms: Sequence[Vm]
    unasked: Mapping[str, Unavailable] = field(default_factory=dict)
    """Subscriptions that could not be asked, and why. Of these no VM is here, of every other all are."""


class Vms(Protocol):
    async def find(self, caller: Caller, vm: VmId) -> Vm | Refusal:
        """The VM as the caller may see it: VM_NOT_FOUND when there is none or they may not read it."""
        ...

    async def visible(self, caller: Caller) -> Visible | Refusal:
        """Every VM that the caller may read, in the subscriptions served; a Refusal when sign-in must be stronger.
        One in which they may read nothing, or that is not there, has none; one that cannot be asked is named.
        """
        ...


class Rights(Protocol):
    async def missing(
        self, caller: Caller, resource_id: str, actions: Sequence[str], *, fresh: bool = False
    ) -> Sequence[str] | Refusal:
        """Those of the Azure actions that the caller may not do on a resource (a VM, a storage account, a group, a
        subscription); a Refusal when sign-in must be stronger. An answer of the last seconds will do unless `fresh`.
        """
        ...


class ConstraintsOfVms(Protocol):
    """What Azure says about a console whoever asks, read with the service's own identity."""

    async def of(self, vm: VmId, *, fresh: bool = False) -> AzureConstraints:
        """Locks and Azure's own switches. Raises Unavailable."""
        ...

    async def account(self, name: str, near: VmId, *, fresh: bool = False) -> DiagnosticsAccount | NoDiagnosticsAccount:
        """The storage account of this name: in the VM's subscription, or another one that is served."""
        ...

    async def remains(self, vm: VmId) -> str | None:
        """Of a VM that is gone, the resource id of its group, or of its subscription where the group is gone too. None
        while the VM is there, and where the service may not look. Raises Unavailable.
        """
        ...


class PowerCommands(Protocol):
    async def do(self, caller: Caller, vm: VmId, act: Command) -> Refusal | None:
        """Begins to restart, start or stop the VM: as the user themselves, or for an application as the service."""
        ...


@dataclass(frozen=True, slots=True)
class BootLog:
    """The end of what Azure keeps of a VM's serial port."""

    content: bytes
    start: int
    """Bytes of Azure's log before it."""


@dataclass(frozen=True, slots=True)
class Picture:
    content: bytes
    media: str


class BootLogs(Protocol):
    """What boot diagnostics keeps, fetched as the caller. Raise Unavailable; no address of Azure's gets out: it is a
    key to what it leads to.
    """

    async def log(self, caller: Caller, vm: VmId, most: int) -> BootLog | Refusal:
        """At most so many bytes, the last ones."""
        ...

    async def screenshot(self, caller: Caller, vm: VmId) -> Picture | Refusal: ...


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A policy as it was set. `version` is opaque, and changes with every write."""

    policy: Policy
    set_by: str
    """Caller.subject."""
    set_at: float
    version: str


class Policies(Protocol):
    async def over(self, vm: VmId) -> Sequence[Level]:
        """Every policy that holds for the VM, the tenant's first: those of the settings and those set through the
        API, at most two seconds old.
        """
        ...

    async def captured(self) -> Sequence[VmId]:
        """VMs whose own policy wants their console recorded whether anybody is there or not. Raises Unavailable."""
        ...

    async def find(self, scope: Scope) -> StoredPolicy | None: ...

    async def set(
        self, scope: Scope, policy: Policy, by: str, at: float, *, version: str | None
    ) -> StoredPolicy | None:
        """Keeps it; None when `version` is given and is not that of what is kept ("" stands for nothing)."""
        ...

    async def clear(self, scope: Scope) -> None: ...


class RateLimits(Protocol):
    async def take(self, key: str, pace: RateLimit) -> float:
        """Seconds to wait; 0 lets the request pass. All instances of the service count together."""
        ...


class Approvals(Protocol):
    """Requests for approval: each waits as an orchestration, and is indexed by console."""

    async def ask(self, approval: Approval) -> None: ...

    async def find(self, vm: VmId, approval: str) -> Approval | None: ...

    async def of(self, vm: VmId, subject: str) -> Sequence[Approval]:
        """One's requests on one console that may still count, the newest first: those of the last two days."""
        ...

    async def pending(self) -> Sequence[Approval]:
        """Every request that still waits, the oldest first."""
        ...

    async def decide(self, approval: Approval) -> Approval:
        """Hands a decision (state, who, when, comment) to the request that waits; answers what became of it, which is
        another's decision where that came first.
        """
        ...
