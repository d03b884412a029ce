"""Just-in-time approval: somebody else says yes, for one person, one console, one right, for a while.

Times are seconds since 1970.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from shared.access.rights import Right
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId

WAITS_SECONDS = 86_400.0
"""The longest that a request waits: policies name no more."""
GOOD_SECONDS = 86_400.0
"""The longest that a yes is good for: policies name no more."""


class State(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"


_INCLUDED = {Right.WATCH: frozenset({Right.WATCH, Right.WRITE})}
"""Who may write may watch."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One request, and what became of it."""

    id: str
    vm: VmId
    right: Right
    subject: str
    """Who asks, as Caller.subject has it."""
    name: str
    reason: str
    asked_at: float
    waits_until: float
    """After it nobody can decide any more."""
    good_seconds: float
    """How long a yes is good for."""
    state: State = State.PENDING
    decided_by: str | None = None
    decider: str | None = None
    """The name of whoever `decided_by` is."""
    decided_at: float | None = None
    comment: str | None = None

    def at(self, now: float) -> "Approval":
        """As it is now: a request that nobody decided in time has expired, whatever was written down."""
        if self.state is State.PENDING and now >= self.waits_until:
            return replace(self, state=State.EXPIRED)
        return self

    def covers(self, subject: str, right: Right, now: float) -> bool:
        mine = self.subject == subject and self.right in _INCLUDED.get(right, {right})
        good = self.state is State.APPROVED and now < (self.decided_at or 0) + self.good_seconds
        return mine and good

    def awaits(self, subject: str, right: Right, now: float) -> bool:
        mine = self.subject == subject and self.right in _INCLUDED.get(right, {right})
        return mine and self.at(now).state is State.PENDING


def decided(approval: Approval, *, allow: bool, subject: str, name: str, comment: str | None, now: float) -> Approval:
    """The request with its decision. Call `may_decide` first."""
    state = State.APPROVED if allow else State.DENIED
    return replace(approval, state=state, decided_by=subject, decider=name, decided_at=now, comment=comment)


def may_decide(approval: Approval, subject: str, now: float) -> Refusal | None:
    """Why this one may not decide; their right on the VM is another question."""
    if approval.subject == subject:
        return refuse(Code.APPROVER_IS_REQUESTER, target=approval.vm.resource_id)
    if approval.at(now).state is not State.PENDING:
        return refuse(Code.APPROVAL_CLOSED, target=approval.vm.resource_id)
    return None
