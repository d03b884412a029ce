"""People who take, keep and give back consoles through several instances at once, and what one lock allows them.

Each call is written down with the time before and after it. Afterwards the history is held to what a lock is: whatever
order the calls had inside, their order from outside must fit.
"""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random
from typing import Any

import httpx

from dev.demo import ADA, GRACE, Person
from tests.functions.control_plane import ControlPlane
from tests.functions.test_over_http import claims, vm

PEOPLE = (ADA, GRACE)
TELLS = {"LockUnavailable", "AzureUnavailable", "AzureTimeout"}
"""What may be said while an instance is gone. Nobody is refused for another reason, but for a console in use."""
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Call:
    """`status` 0: nobody knows what became of it, for its instance went away under it."""

    vm: str
    who: str
    began: float
    ended: float
    status: int
    session: str = ""
    generation: int = 0
    takeover: str = ""
    code: str = ""


@dataclass
class Crowd:
    """`instances` may be changed while it is at work: whoever meets one that is gone asks another, as behind Azure's
    front end.
    """

    instances: list[ControlPlane]
    consoles: tuple[str, ...]
    seed: str
    openings: list[Call] = field(default_factory=list)
    attaches: list[Call] = field(default_factory=list)
    releases: list[Call] = field(default_factory=list)
    endings: list[Call] = field(default_factory=list)
    live: dict[str, Call] = field(default_factory=dict)
    """Whoever was admitted and has not left, by session."""
    told: set[str] = field(default_factory=set)
    """Codes of refusals."""
    lost: int = 0
    """Calls whose instance went away."""

    def run(self, number: int, until: threading.Event) -> None:
        """One person's work; the same seed wants the same."""
        dice = Random(f"{self.seed}-{number}")  # noqa: S311 - chooses what is tried, keeps no secret
        while not until.is_set():
            name, who = dice.choice(self.consoles), dice.choice(PEOPLE)
            session = self._open(dice, name, who, dice.choice(("force", "force", "never")))
            if session and dice.random() < 0.8:
                time.sleep(dice.choice((0, 0, 1)))  # somebody else may take it before they are there
                call = self._attach(dice, name, who, session)
                if call.status == httpx.codes.OK and dice.random() < 0.4:
                    time.sleep(dice.uniform(0, 1))
                    self._release(dice, name, call, who)
            time.sleep(dice.uniform(0, _PAUSE_SECONDS))

    def beat(self, until: threading.Event) -> None:
        """As the relay of all of them."""
        dice = Random(f"{self.seed}-relay")  # noqa: S311 - as above
        while not until.is_set():
            self.beat_once(dice)
            time.sleep(0.5)

    def beat_once(self, dice: Random) -> None:
        named = dict(self.live)
        body = {"relay": "r0", "sessions": [_named(each) for each in named.values()]}
        began = time.monotonic()
        answer = self._asked(dice, lambda plane: plane.as_relay("heartbeat", body))
        if answer is None or answer.status_code != httpx.codes.OK:
            return
        for end in answer.json()["end"]:
            ended = named[end["session"]]
            self.endings.append(
                Call(
                    ended.vm, ended.who, began, time.monotonic(), 200, ended.session, ended.generation, code=end["code"]
                )
            )
            self.live.pop(ended.session, None)

    def granted(self, since: float) -> set[str]:
        """The consoles of which one was granted that had been asked for after this time."""
        return {call.vm for call in self.openings if call.status == httpx.codes.CREATED and call.began > since}

    def _open(self, dice: Random, name: str, who: Person, takeover: str) -> dict[str, Any] | None:
        began, wish = time.monotonic(), {"takeover": takeover}
        answer = self._asked(
            dice, lambda plane: plane.call("POST", f"{vm(name)}/serialConsole/sessions", who, json=wish)
        )
        said = answer.json() if answer is not None else {}
        status = answer.status_code if answer is not None else 0
        found = Call(name, who.name, began, time.monotonic(), status, takeover=takeover, code=self._code(answer))
        self.openings.append(replace(found, session=said.get("id", ""), generation=said.get("generation", 0)))
        return said if status == httpx.codes.CREATED else None

    def _attach(self, dice: Random, name: str, who: Person, session: dict[str, Any]) -> Call:
        began, body = time.monotonic(), {"relay": "r0", "grant": claims(session["token"])}
        answer = self._asked(dice, lambda plane: plane.as_relay("attach", body))
        status = answer.status_code if answer is not None else 0
        call = Call(
            name,
            who.name,
            began,
            time.monotonic(),
            status,
            session["id"],
            session["generation"],
            code=self._code(answer),
        )
        self.attaches.append(call)
        if status == httpx.codes.OK:
            self.live[call.session] = call
        return call

    def _release(self, dice: Random, name: str, held: Call, who: Person) -> None:
        self.live.pop(held.session, None)
        began, path = time.monotonic(), f"{vm(name)}/serialConsole/sessions/{held.session}"
        answer = self._asked(dice, lambda plane: plane.call("DELETE", path, who))
        status = answer.status_code if answer is not None else 0
        self.releases.append(Call(name, who.name, began, time.monotonic(), status, held.session, held.generation))

    def _asked(self, dice: Random, ask: Any) -> httpx.Response | None:
        """None where the instance went away, after which whatever was asked may have been done or not."""
        try:
            answer: httpx.Response = ask(dice.choice(self.instances))
        except httpx.TransportError:
            self.lost += 1
            return None
        return answer

    def _code(self, answer: httpx.Response | None) -> str:
        code = answer.headers.get("x-ms-error-code", "") if answer is not None else ""
        if code:
            self.told.add(code)
        return code


def _named(call: Call) -> dict[str, Any]:
    return {"vm": vm(call.vm)[4:], "session": call.session, "generation": call.generation, "mode": "write"}


def faults(crowd: Crowd) -> list[str]:
    """What no lock allows. Empty: at any time one person at most could write."""
    granted = [call for call in crowd.openings if call.status == httpx.codes.CREATED]
    return [
        *_generations(crowd.consoles, granted),
        *(f"{call} was admitted after a newer one was granted" for call in crowd.attaches
          if call.status == httpx.codes.OK and _older(call, granted)),
        *(f"{call} had the console from somebody whom it might not displace" for call in granted
          if call.takeover == "never" and _displaced(call, crowd, granted)),
        *(f"{call} was ended, and nobody had taken the console" for call in crowd.endings
          if not _had_reason(call, crowd.openings)),
        *(f"{call}: refused" for call in (*crowd.openings, *crowd.attaches) if call.code not in _ALLOWED),
    ]  # fmt: skip


_ALLOWED = {"", "ConsoleInUse", "SessionSuperseded", "SessionEnded", "TokenExpired", *TELLS}


def _generations(consoles: Iterable[str], granted: list[Call]) -> Iterable[str]:
    for name in consoles:
        of = sorted((call for call in granted if call.vm == name), key=lambda call: call.generation)
        for one, other in pairwise(of):
            if one.generation == other.generation or other.ended < one.began:
                yield f"{one} and {other} cannot both be"


def _older(call: Call, granted: list[Call]) -> bool:
    return any(
        other.vm == call.vm and other.generation > call.generation and other.ended < call.began for other in granted
    )


def _displaced(call: Call, crowd: Crowd, granted: list[Call]) -> bool:
    """Whether the one directly before it was admitted, never left, and was named by its relay all the while."""
    before = next((o for o in granted if o.vm == call.vm and o.generation == call.generation - 1), None)
    if before is None or before.who == call.who:  # one's own sessions give way
        return False
    admitted = any(a.session == before.session and a.status == 200 and a.ended < call.began for a in crowd.attaches)
    left = any(each.session == before.session and each.began < call.ended for each in (*crowd.releases, *crowd.endings))
    return admitted and not left


def _had_reason(call: Call, openings: list[Call]) -> bool:
    """A newer one was granted, or may have been: nobody knows of those that were told nothing, or that it failed."""
    return any(
        other.vm == call.vm
        and other.began < call.ended
        and (other.generation > call.generation or other.status not in (201, 409))
        for other in openings
        if other.session != call.session
    )
