"""Each request changes a lock once, however often, late, or out of order it comes.

Whoever asks sends a request id and then reads the state until the outcome of that id stands there. So a request may be
sent again when no outcome shows: one that was done is known by its id. Only the last outcomes are kept; `floor` stands
for those that were dropped. A request whose deadline is not after it may have been done before, so it is not done.
As deadlines grow with the time of asking, that refuses old requests and no new ones.

A request that comes after its deadline is not done either: nobody waits for it, and it would displace somebody.
Deadlines are told by the clock of who asks and judged by the clock of who does it: the two must agree within
CLOCK_SECONDS, which deadlines leave as a margin. A deadline that nobody can have told by such a clock is refused too:
kept as `floor`, it would shut everybody out until then. So a floor that is as far ahead counts for nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from shared.session.lock import Acquired, Held, Lock

OUTCOMES = 32
"""Kept by id. With names of NAME_CHARACTERS at most that is below 40 KiB of JSON."""
NAME_CHARACTERS = 64
CLOCK_SECONDS = 1.0
LONGEST_SECONDS = 15.0
"""Nobody waits longer for an outcome."""


@dataclass(frozen=True, slots=True)
class Request:
    id: str
    deadline: float
    """When whoever asks gives up; seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The request came when nobody waited for it any more, or may have been done before."""


type Outcome = Acquired | Held | bool | Expired
"""bool: of a release, whether the session had the console."""
type Operation = Callable[[Lock], tuple[Lock, Outcome]]


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    request: Request
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class LockRequests:
    """A lock, and what became of the last requests."""

    lock: Lock = field(default_factory=Lock)
    answered: tuple[AnsweredRequest, ...] = ()
    """Oldest first."""
    floor: float = 0.0
    """The latest deadline among the requests that were done and dropped."""

    def outcome(self, request: str) -> Outcome | None:
        """None: not done yet, or so long ago that it was dropped."""
        return next((each.outcome for each in self.answered if each.request.id == request), None)


def perform(state: LockRequests, request: Request, operation: Operation, now: float) -> LockRequests:
    """The next state. A request that was done before leaves it as it is."""
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
