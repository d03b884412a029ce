"""The lock and approvals on Microsoft's durable engine, while that is killed.

The engine is killed alone, and requests go on being taken: what it is like when the instance that has a console's lock
dies and others answer (docs/fidelity.md, "Durable functions").
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dev.demo import ADA, GRACE, Person
from tests.dev.functions_host.engines import kill_engine
from tests.functions.control_plane import ControlPlane, control_plane
from tests.functions.test_over_http import attach, opened, vm
from tests.host_parts import needs_host_parts
from tests.patience import PATIENCE

pytestmark = needs_host_parts


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("mortal")) as running:
        yield running


def until_opened(plane: ControlPlane, name: str, who: Person) -> tuple[dict[str, Any], list[str]]:
    """The session, and what was said until there was one. Waits as long as it is told to, as clients do."""
    end, said = time.monotonic() + PATIENCE, list[str]()
    while time.monotonic() < end:
        answer = plane.call("POST", f"{vm(name)}/serialConsole/sessions", who, json={})
        if answer.status_code == 201:
            session: dict[str, Any] = answer.json()
            return session, said
        assert answer.status_code == 503, answer.text
        said.append(answer.headers["x-ms-error-code"])
        time.sleep(int(answer.headers["retry-after"]))
    raise AssertionError(f"nobody could open {name}: {said}")


def named(name: str, session: dict[str, Any]) -> dict[str, Any]:
    return {"vm": vm(name)[4:], "session": session["id"], "generation": session["generation"], "mode": "write"}


def test_no_writer_loses_a_console_by_a_kill_and_who_opens_meanwhile_succeeds_when_it_is_back(
    mortal: ControlPlane,
) -> None:
    """Heartbeats go on as relays send them."""
    session = opened(mortal, "web-01", GRACE)
    assert attach(mortal, session["token"]).status_code == 200
    beat = {"relay": "r0", "sessions": [named("web-01", session)]}
    assert mortal.as_relay("heartbeat", beat).json()["end"] == []
    kill_engine(mortal.host)
    with ThreadPoolExecutor(1) as somebody:
        opening = somebody.submit(until_opened, mortal, "web-04", ADA)
        while not opening.done():
            answer = mortal.as_relay("heartbeat", beat)
            assert (answer.status_code, answer.json()["end"]) == (200, [])
            time.sleep(1)
        other, said = opening.result()
    assert set(said) == {"LockUnavailable"}, "the kill was felt, and told as what it was"
    assert attach(mortal, other["token"]).status_code == 200
    kept = mortal.call("POST", f"{vm('web-01')}/serialConsole/sessions", ADA, json={"takeover": "never"})
    assert (kept.status_code, kept.headers["x-ms-error-code"]) == (409, "ConsoleInUse")
    assert GRACE.name in kept.json()["error"]["message"]


def test_of_all_who_take_a_console_while_its_engine_is_killed_one_may_write(mortal: ControlPlane) -> None:
    def take(number: int) -> dict[str, Any]:
        return until_opened(mortal, "web-01", (ADA, GRACE)[number % 2])[0]

    with ThreadPoolExecutor(6) as crowd:
        sessions = [crowd.submit(take, number) for number in range(6)]
        for _ in range(2):
            kill_engine(mortal.host)
            time.sleep(3)
        taken = [each.result() for each in sessions]
    generations = [each["generation"] for each in taken]
    assert len(set(generations)) == len(generations), "each generation belongs to one"
    last = opened(mortal, "web-01", ADA)
    assert last["generation"] > max(generations)
    admitted = [each["id"] for each in (*taken, last) if attach(mortal, each["token"]).status_code == 200]
    assert admitted == [last["id"]]


AT = f"{vm('web-04')}/serialConsole"


@pytest.fixture
def guarded(mortal: ControlPlane) -> Iterator[ControlPlane]:
    demands = {"approval": ["write"], "approvalSeconds": 600}
    assert mortal.call("PUT", f"{AT}/policy", ADA, json=demands).status_code == 200
    yield mortal
    mortal.call("DELETE", f"{AT}/policy", ADA)


def test_a_request_for_approval_is_decided_whatever_becomes_of_the_engine(guarded: ControlPlane) -> None:
    asked = guarded.call("POST", f"{AT}/approvals", GRACE, json={"for": "write", "reason": "disk full"}).json()
    kill_engine(guarded.host)
    decided = guarded.call("POST", f"{AT}/approvals/{asked['id']}/decision", ADA, json={"allow": True})
    assert decided.json()["state"] == "approved", "with or without the hub"
    assert until_opened(guarded, "web-04", GRACE)[0]["mode"] == "write"
