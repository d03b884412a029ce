"""Each request changes a lock once, however often, late, or out of order it comes.

The requester sends a request id, and then reads the state until the outcome of that id appears. If none appears, it
may send the request again: a request that was done is recognised by its id. Only the last outcomes are stored; `floor`
stands for the dropped ones. A request whose deadline is not later than `floor` may have been done before, so it is
refused. Deadlines grow with the time of the request, so this refuses old requests and no new ones.

A request that comes after its deadline is refused as well: nobody waits for it, and it could displace a writer.
The requester's clock sets the deadline, and the clock of the task hub's worker checks it: the two must agree within
CLOCK_SECONDS, the margin that deadlines leave. A deadline too far ahead for such a clock is refused too: stored as
`floor`, it would refuse everybody until then. For the same reason a floor that is too far ahead is ignored.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from shared.session.lock import Acquired, Held, Lock

OUTCOMES = 32
"""Outcomes that are stored. With names of at most NAME_CHARACTERS they take less than 40 KiB of JSON."""
NAME_CHARACTERS = 64
CLOCK_SECONDS = 1.0
LONGEST_SECONDS = 15.0
"""Longest wait of a requester for an outcome."""


@dataclass(frozen=True, slots=True)
class Request:
    id: str
    deadline: float
    """When the requester gives up; seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The request came after its deadline, or may have been done before."""


type Outcome = Acquired | Held | bool | Expired
"""The bool is the outcome of a release: True if the session had the console."""
type Operation = Callable[[Lock], tuple[Lock, Outcome]]


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    request: Request
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class LockRequests:
    """A lock, and the outcomes of the last requests."""

    lock: Lock = field(default_factory=Lock)
    answered: tuple[AnsweredRequest, ...] = ()
    """Oldest first."""
    floor: float = 0.0
    """The latest deadline among the requests that were done and dropped."""

    def outcome(self, request: str) -> Outcome | None:
        """Returns the outcome of a request id; None if it is not done yet, or was dropped."""
        return next((each.outcome for each in self.answered if each.request.id == request), None)


def perform(state: LockRequests, request: Request, operation: Operation, now: float) -> LockRequests:
    """Does a request, and returns the next state. A request that was done before changes nothing."""
    if state.outcome(request.id) is not None:
        return state
    latest = now + LONGEST_SECONDS + CLOCK_SECONDS
    floor = state.floor if state.floor <= latest else 0.0
    if not max(now, floor) < request.deadline <= latest:
        return _add_outcome(state, AnsweredRequest(request, Expired()))
    lock, outcome = operation(state.lock)
    return _add_outcome(replace(state, lock=lock), AnsweredRequest(request, outcome))


def _add_outcome(state: LockRequests, answered: AnsweredRequest) -> LockRequests:
    every = (*state.answered, answered)
    dropped, remaining = every[:-OUTCOMES], every[-OUTCOMES:]
    done = [each.request.deadline for each in dropped if not isinstance(each.outcome, Expired)]
    return replace(state, answered=remaining, floor=max([state.floor, *done]))
