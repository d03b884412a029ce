"""Applies an operation to the state of a console that the task hub stores. Both are plain JSON."""

from shared.session import lock
from shared.session.lock_codec import Json, claim_from_json, request_from_json, state_from_json, state_to_json
from shared.session.lock_requests import Operation, perform


def changed(stored: Json | None, operation: str, payload: Json, now: float) -> Json | None:
    """Returns the next state; None if it stays as it is. Raises KeyError for an unknown operation."""
    before = state_from_json(stored)
    after = perform(before, request_from_json(payload["request"]), _operations(payload, now)[operation], now)
    return None if after is before else state_to_json(after)


def _operations(payload: Json, now: float) -> dict[str, Operation]:
    return {
        "acquire": lambda current: lock.acquire(current, claim_from_json(payload["claim"]), now),
        "release": lambda current: lock.release(current, payload["session"], payload["generation"]),
    }
