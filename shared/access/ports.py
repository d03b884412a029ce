"""The ports of access: callers, VMs, rights, constraints, power, boot logs, policies, rate limits, approvals."""

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
        """Returns the caller of an Authorization header, or a refusal. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Visible:
    """The VMs that a caller may read."""

    vms: Sequence[Vm]
    unasked: Mapping[str, Unavailable] = field(default_factory=dict)
    """Subscriptions that could not be read, and why. Their VMs are missing; those of all others are complete."""


class Vms(Protocol):
    async def find(self, caller: Caller, vm: VmId) -> Vm | Refusal:
        """Returns the VM; VM_NOT_FOUND if it does not exist or the caller may not read it. Raises Unavailable."""
        ...

    async def visible(self, caller: Caller) -> Visible | Refusal:
        """Returns every VM that the caller may read in the subscriptions served; a Refusal if sign-in must be stronger.

        A subscription that does not exist, or in which they may read nothing, has no VMs.
        """
        ...


class Rights(Protocol):
    async def missing(
        self, caller: Caller, resource_id: str, actions: Sequence[str], *, fresh: bool = False
    ) -> Sequence[str] | Refusal:
        """Returns the Azure actions that the caller lacks on a resource (a VM, a storage account, a group, a
        subscription); a Refusal if sign-in must be stronger. The answer may be some seconds old unless `fresh`.
        Raises Unavailable.
        """
        ...


class ConstraintsOfVms(Protocol):
    """Azure's constraints on consoles, the same for every caller. They are read with the service's own identity."""

    async def of(self, vm: VmId, *, fresh: bool = False) -> AzureConstraints:
        """Returns locks and Azure's own switches of a VM. Raises Unavailable."""
        ...

    async def account(self, name: str, near: VmId, *, fresh: bool = False) -> DiagnosticsAccount | NoDiagnosticsAccount:
        """Returns the storage account of this name, in the VM's subscription or another one that is served.

        Raises Unavailable.
        """
        ...

    async def remains(self, vm: VmId) -> str | None:
        """Returns the id of a deleted VM's group, or of its subscription if the group is deleted as well.

        None if the VM exists, and if the service may not look. Raises Unavailable.
        """
        ...


class PowerCommands(Protocol):
    async def do(self, caller: Caller, vm: VmId, act: Command) -> Refusal | None:
        """Begins to restart, start or stop the VM, with the user's identity, or the service's for an application.

        Raises Unavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class BootLog:
    """The end of Azure's log of a VM's serial port."""

    content: bytes
    start: int
    """Bytes of Azure's log before it."""


@dataclass(frozen=True, slots=True)
class Picture:
    content: bytes
    media: str


class BootLogs(Protocol):
    """Boot diagnostics, fetched with the caller's identity. Methods raise Unavailable. They never reveal an address of
    Azure's: whoever knows it can read the data.
    """

    async def log(self, caller: Caller, vm: VmId, most: int) -> BootLog | Refusal:
        """Returns the end of the boot log, at most `most` bytes."""
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
        """Returns every policy that applies to the VM, the tenant's first: those of the settings and those of the API,
        at most two seconds old. Raises Unavailable.
        """
        ...

    async def captured(self) -> Sequence[VmId]:
        """Returns the VMs whose own policy demands a recording also without a viewer. Raises Unavailable."""
        ...

    async def find(self, scope: Scope) -> StoredPolicy | None: ...

    async def set(
        self, scope: Scope, policy: Policy, by: str, at: float, *, version: str | None
    ) -> StoredPolicy | None:
        """Stores a policy. `by` is Caller.subject, `at` seconds since 1970.

        Returns None if `version` is given and the stored policy has another ("" demands that none is stored).
        """
        ...

    async def clear(self, scope: Scope) -> None: ...


class RateLimits(Protocol):
    async def take(self, key: str, pace: RateLimit) -> float:
        """Returns the seconds to wait; 0 lets the request pass. All instances of the service count together."""
        ...


class Approvals(Protocol):
    """Requests for approval: each waits as an orchestration, and is indexed by console."""

    async def ask(self, approval: Approval) -> None: ...

    async def find(self, vm: VmId, approval: str) -> Approval | None: ...

    async def of(self, vm: VmId, subject: str) -> Sequence[Approval]:
        """Returns a requester's requests on one console that may still count, of the last two days, newest first."""
        ...

    async def pending(self) -> Sequence[Approval]:
        """Returns every request that still waits, oldest first."""
        ...

    async def decide(self, approval: Approval) -> Approval:
        """Decides a request that waits, with the state, decider, time and comment of `approval`.

        Returns the request as it is now: with another decision if that came first.
        """
        ...
