"""What the owners of VMs and of the service decide, and how often somebody may ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.domain.approval import Approval
from shared.domain.pace import Pace
from shared.domain.policy import Level, Policy, Scope
from shared.domain.vm import VmId


@dataclass(frozen=True, slots=True)
class Stored:
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

    async def find(self, scope: Scope) -> Stored | None: ...

    async def set(self, scope: Scope, policy: Policy, by: str, at: float, *, version: str | None) -> Stored | None:
        """Keeps it; None when `version` is given and is not that of what is kept ("" stands for nothing)."""
        ...

    async def clear(self, scope: Scope) -> None: ...


class Paces(Protocol):
    async def take(self, key: str, pace: Pace) -> float:
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
