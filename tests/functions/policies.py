"""Policies that a test sets and takes back: the host is everybody's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from dev.demo import ADA, TENANT
from dev.entra.tokens import user_token
from tests.functions.control_plane import ControlPlane


def administrator(plane: ControlPlane) -> str:
    """A token with the app role that opens every scope."""
    return user_token(plane.stack, ADA, roles=["Console.Administrator"], tid=TENANT)


def address_of(scope: str) -> str:
    return "/api/policy" if scope == "/" else f"/api{scope}/serialConsole/policy"


def put(plane: ControlPlane, scope: str, policy: dict[str, Any], who: Any = None, **headers: str) -> httpx.Response:
    return plane.call("PUT", address_of(scope), who or administrator(plane), json=policy, headers=headers)


@contextmanager
def demanding(plane: ControlPlane, scope: str, **policy: Any) -> Iterator[httpx.Response]:
    """The policy holds until the block ends."""
    answer = put(plane, scope, policy)
    assert answer.status_code == 200, answer.text
    try:
        yield answer
    finally:
        assert plane.call("DELETE", address_of(scope), administrator(plane)).status_code == 204
