"""Just-in-time approval: a second person allows one caller one right on one console, for a limited time.

Times are seconds since 1970.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from shared.access.rights import Right
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId

DECISION = "decision"
"""The event by which the orchestration of a request is told the decision."""
WAITS_SECONDS = 86_400.0
"""The longest time that a request waits. A policy cannot set more."""
GOOD_SECONDS = 86_400.0
"""The longest time that an approval is valid. A policy cannot set more."""


class State(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"


_INCLUDED = {Right.WATCH: frozenset({Right.WATCH, Right.WRITE})}
"""An approval to write includes watching."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One request for approval, and its decision."""

    id: str
    vm: VmId
    right: Right
    subject: str
    """The requester, as Caller.subject has it."""
    name: str
    reason: str
    asked_at: float
    waits_until: float
    """After this time nobody can decide."""
    good_seconds: float
    """Seconds for which an approval is valid after the decision."""
    state: State = State.PENDING
    decided_by: str | None = None
    decider: str | None = None
    """Display name of `decided_by`."""
    decided_at: float | None = None
    comment: str | None = None

    def at(self, now: float) -> "Approval":
        """Returns the request as it is at a time: one that nobody decided in time is expired, whatever was stored."""
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
    """Returns the request with its decision. Call `may_decide` first."""
    state = State.APPROVED if allow else State.DENIED
    return replace(approval, state=state, decided_by=subject, decider=name, decided_at=now, comment=comment)


def may_decide(approval: Approval, subject: str, now: float) -> Refusal | None:
    """Returns the refusal if this person may not decide this request. It does not check their right on the VM."""
    if approval.subject == subject:
        return refuse(Code.APPROVER_IS_REQUESTER, target=approval.vm.resource_id)
    if approval.at(now).state is not State.PENDING:
        return refuse(Code.APPROVAL_CLOSED, target=approval.vm.resource_id)
    return None
