"""Converts locks, claims and outcomes to and from the JSON that the task hub stores. It never holds a token."""

from dataclasses import asdict
from typing import Any

from shared.session.lock import Acquired, Claim, Held, Holder, Lock, Takeover
from shared.session.lock_requests import AnsweredRequest, Expired, LockRequests, Outcome, Request

type Json = dict[str, Any]

NO_RELAY = ""
"""Relay of a holder that an earlier version stored without one. No relay has this name."""


def state_to_json(state: LockRequests) -> Json:
    return {
        "lock": asdict(state.lock),
        "answered": [{**asdict(each.request), **outcome_to_json(each.outcome)} for each in state.answered],
        "floor": state.floor,
    }


def state_from_json(stored: Json | None) -> LockRequests:
    """Reads the state of a console; a console that was never opened has none.

    A state from before requests had ids is read as well: its generation must go on, and its holder counts.
    """
    if not stored:
        return LockRequests()
    if "lock" not in stored:
        return LockRequests(lock_from_json(stored))
    answered = tuple(AnsweredRequest(request_from_json(each), outcome_from_json(each)) for each in stored["answered"])
    return LockRequests(lock_from_json(stored["lock"]), answered, float(stored["floor"]))


def lock_from_json(stored: Json) -> Lock:
    holder = stored["holder"]
    with_relay = Holder(**{"relay": NO_RELAY, **holder}) if holder else None
    return Lock(int(stored["generation"]), with_relay, float(stored.get("pending_until", 0)))


def request_from_json(sent: Json) -> Request:
    return Request(str(sent["id"]), float(sent["deadline"]))


def claim_to_json(claim: Claim) -> Json:
    return asdict(claim)


def claim_from_json(sent: Json) -> Claim:
    return Claim(Holder(**sent["holder"]), Takeover(sent["takeover"]), sent["vacated"])


def outcome_to_json(outcome: Outcome) -> Json:
    match outcome:
        case Acquired(generation, before):
            return {"outcome": "acquired", "generation": generation, "before": asdict(before)}
        case Held():
            return {"outcome": "held", **asdict(outcome)}
        case Expired():
            return {"outcome": "expired"}
        case freed:
            return {"outcome": "released" if freed else "not held"}


def outcome_from_json(stored: Json) -> Outcome:
    match stored["outcome"]:
        case "acquired":
            return Acquired(int(stored["generation"]), lock_from_json(stored["before"]))
        case "held":
            return Held(Holder(**stored["holder"]), int(stored["generation"]), float(stored["pending_until"]))
        case "expired":
            return Expired()
        case outcome:
            return bool(outcome == "released")
