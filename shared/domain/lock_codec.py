"""The lock and its operations' answers as plain JSON objects: what the task hub stores. No token is ever among them."""

from dataclasses import asdict
from typing import Any

from shared.domain.lock import Acquired, Claim, Held, Holder, Lock, Takeover


def lock_to_json(lock: Lock) -> dict[str, Any]:
    return asdict(lock)


def lock_from_json(stored: dict[str, Any] | None) -> Lock:
    """A console nobody ever opened has no state."""
    if not stored:
        return Lock()
    return Lock(int(stored["generation"]), _holder(stored["holder"]), float(stored["lease_until"]))


def claim_to_json(claim: Claim) -> dict[str, Any]:
    return asdict(claim)


def claim_from_json(sent: dict[str, Any]) -> Claim:
    return Claim(Holder(**sent["holder"]), Takeover(sent["takeover"]), sent["consent"])


def outcome_to_json(outcome: Acquired | Held) -> dict[str, Any]:
    return {"acquired": isinstance(outcome, Acquired), **asdict(outcome)}


def outcome_from_json(sent: dict[str, Any]) -> Acquired | Held:
    if sent["acquired"]:
        return Acquired(sent["generation"], _holder(sent["displaced"]))
    return Held(Holder(**sent["holder"]), sent["generation"])


def _holder(stored: dict[str, Any] | None) -> Holder | None:
    return Holder(**stored) if stored else None
