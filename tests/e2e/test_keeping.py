"""What a policy wants kept: masks and typed lines in a real session, and a console that nobody is at."""

import json
from typing import Any

import pytest

from dev import demo
from tests.e2e.local_stack import LocalStack, recorded_as, until
from tests.e2e.person import SignedIn
from tests.e2e.test_access_page import policy

WEB_01, WEB_04 = (vm for vm in demo.VIRTUAL_MACHINES if vm.name in ("web-01", "web-04"))
PASSWORD = "s3cret-and-long"
SECRET = "AKIAIOSFODNN7EXAMPLE"  # pragma: allowlist secret - what is to be masked


def events(who: SignedIn, vm: demo.VirtualMachine, **place: str) -> list[dict[str, Any]]:
    answer = who.get(f"{vm.id}/serialConsole/transcript", format="events", limit=4 << 20, **place)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.qemu
def test_a_masked_secret_and_a_password_are_in_no_record_and_the_proof_still_holds(
    stack: LocalStack, ada: SignedIn
) -> None:
    with policy(ada, WEB_01, typed="masked", mask=["AKIA[0-9A-Z]{16}"]), ada.open(WEB_01) as console:
        console.log_out()
        console.log_in()
        console.run(f"echo {SECRET}; echo and the rest")
        assert SECRET.encode() in console.printed, "whoever is there sees what the VM prints"
        console.type("stty -echo; echo ready''now; read answer; stty echo; echo over''now\r")
        console.expect("readynow")
        console.type(f"{PASSWORD}\r")
        console.expect("overnow")
        session = console.session["id"]
        until(lambda: b"overnow" in ada.transcript(WEB_01)[-2000:], "the visit is archived")
    until(lambda: recorded_as(ada.transcript(WEB_01), stack.printed(WEB_01)), "all is archived")
    kept, printed = ada.transcript(WEB_01), stack.printed(WEB_01)
    assert SECRET.encode() in printed
    assert SECRET.encode() not in kept
    visit = events(ada, WEB_01, session=session)
    assert any(said["event"] == "masked" for said in visit)
    lines = [said["text"] for said in visit if said["event"] == "typed"]
    assert f"{len(PASSWORD) * '*'}^M" in lines, lines
    assert not any(PASSWORD in line or SECRET in line for line in lines)
    assert any("and the rest" in line for line in lines), lines
    assert PASSWORD.encode() not in kept
    assert ada.get(f"{WEB_01.id}/serialConsole/transcript/verification").json()["complete"]


def test_a_console_is_recorded_while_nobody_is_there(stack: LocalStack, ada: SignedIn) -> None:
    def recorded() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ada.get(f"{WEB_04.id}/serialConsole/recordings").json()["value"]
        return [each for each in found if not each["people"] and not each["ended"]]

    with policy(ada, WEB_04, capture=True), ada.open(WEB_01, mode="watch"):  # a relay with somebody asks more often
        until(lambda: bool(recorded()), "the console is open though nobody is there")
        before = len(stack.printed(WEB_04))
        assert ada.api.post(f"{WEB_04.id}/serialConsole/reset", json={}).status_code < 300
        until(lambda: len(stack.printed(WEB_04)) > before, "the machine boots")
        until(lambda: ada.transcript(WEB_04) == stack.printed(WEB_04), "its boot is recorded")
        assert recorded()[0]["marks"][0]["kind"] == "reset"
    with ada.open(WEB_01, mode="watch"):
        until(lambda: not recorded(), "it is let go")
