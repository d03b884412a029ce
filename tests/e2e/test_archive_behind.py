"""The whole stack beside a listener as slow as the real one: the record falls behind, is told to be, and catches up."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dev import demo
from dev.stack import Port
from tests.e2e.local_stack import LocalStack, until
from tests.e2e.person import SignedIn
from tests.patience import PATIENCE

WEB_01 = demo.VIRTUAL_MACHINES[0]
TRANSCRIPT = f"{WEB_01.id}/serialConsole/transcript"
LEAST = 30
"""Seconds for which the record of a busy VM stands still: its reader waits for 60, from its last event on."""


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    slow = LocalStack(Path(tmp_path_factory.mktemp("slow")), 1.0)
    try:
        slow.wait_until_up()
        yield slow
    finally:
        status = slow.stop()
    assert status == 0, slow.said()


def archive_state(person: SignedIn, printed: int) -> str:
    answer = person.get(TRANSCRIPT, format="raw", offset=printed)
    assert answer.status_code == 200, answer.text
    return str(answer.headers["x-console-archive"])


def verified(person: SignedIn) -> dict[str, object]:
    said: dict[str, object] = person.get(f"{TRANSCRIPT}/verification").json()
    return said


@pytest.mark.qemu
def test_a_record_that_is_behind_is_told_so_and_nobody_gives_up(slow: LocalStack) -> None:
    admin = f"{slow.stack.http(Port.EVENT_HUBS_ADMIN)}/disconnect"
    with SignedIn(slow, demo.ADA) as ada, ada.open(WEB_01) as console:
        console.log_in()
        until(lambda: ada.transcript(WEB_01) == slow.printed(WEB_01), "all that was printed has arrived")
        archived = len(slow.printed(WEB_01))
        httpx.post(admin, json={}, timeout=PATIENCE).raise_for_status()
        broke = time.monotonic()
        console.run("echo printed-meanwhile")
        until(lambda: archive_state(ada, archived) == "behind", "the record is told to be behind")
        assert verified(ada)["complete"]
        assert verified(ada)["archive"]["state"] == "behind"  # type: ignore[index]  # JSON
        assert slow.healthy()
        until(lambda: ada.transcript(WEB_01) == slow.printed(WEB_01), "the record catches up")
        assert time.monotonic() - broke > LEAST
        console.run("echo still-open")
        until(lambda: archive_state(ada, len(slow.printed(WEB_01))) == "current", "the record is told to be complete")
        assert verified(ada)["complete"]


@pytest.mark.qemu
def test_what_a_killed_instance_held_is_archived_when_it_has_expired(slow: LocalStack) -> None:
    with SignedIn(slow, demo.ADA) as ada, ada.open(WEB_01) as console:
        console.log_in()
        slow.kill("functions")
        console.run("echo printed-after-the-kill")
        until(lambda: ada.transcript(WEB_01) == slow.printed(WEB_01), "the record catches up")
        assert verified(ada)["complete"]
