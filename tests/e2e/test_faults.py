"""Whatever is killed: the user is told in words, it is tried again, nothing is lost."""

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from dev import demo
from tests.e2e.local_stack import LocalStack, until
from tests.e2e.person import Console, SignedIn

WEB_01 = demo.VIRTUAL_MACHINES[0]


def reconnected(person: SignedIn, **wanted: str) -> Console:
    """As the page does: asks again until the console opens."""
    opened: list[Console] = []

    def open_again() -> bool:
        answer = person.request_session(WEB_01, **wanted)
        if answer.status_code != 201:
            return False
        try:
            opened.append(Console(answer.json()))
        except (OSError, WebSocketException):
            return False
        return True

    until(open_again, "the console opens again")
    return opened[0]


def nothing_in_flight(stack: LocalStack, person: SignedIn) -> None:
    """What a VM's host has sent and a killed relay has not read is lost: COM1's wire knows no acknowledgement. So
    whoever cuts that wire waits until all that was printed has arrived.
    """
    until(lambda: person.transcript(WEB_01) == stack.printed(WEB_01), "all that was printed has arrived")


@pytest.mark.qemu
def test_the_archive_catches_up_after_the_event_hub_was_killed(stack: LocalStack, ada: SignedIn) -> None:
    with ada.open(WEB_01) as console:
        console.log_in()
        stack.kill("event-hubs")
        console.run("say-hash 200 3")
        until(lambda: ada.transcript(WEB_01) == stack.printed(WEB_01), "the archive caught up")


@pytest.mark.qemu
def test_the_archive_catches_up_after_the_storage_was_away(stack: LocalStack, ada: SignedIn) -> None:
    with ada.open(WEB_01) as console:
        console.log_in()
        stack.freeze("azurite")
        try:
            console.run("say-hash 200 4")
        finally:
            stack.thaw("azurite")
        until(lambda: ada.transcript(WEB_01) == stack.printed(WEB_01), "the archive caught up")


@pytest.mark.qemu
def test_a_console_opens_again_after_the_relay_was_killed(stack: LocalStack, ada: SignedIn) -> None:
    with ada.open(WEB_01) as console:
        console.log_in()
        console.run("echo before-the-kill")
        nothing_in_flight(stack, ada)
        stack.kill("relay")
    with reconnected(ada) as again:
        again.log_in()
        again.run("echo after-the-kill")
        for text in (b"before-the-kill\r\n", b"after-the-kill\r\n"):
            until(lambda text=text: text in ada.transcript(WEB_01), f"{text!r} is in the archive")  # type: ignore[misc]  # bound now, on purpose
    until(lambda: ada.transcript(WEB_01) == stack.printed(WEB_01), "nothing is lost, nothing is there twice")


def test_a_start_without_storage_says_what_is_missing_and_recovers(stack: LocalStack, ada: SignedIn) -> None:
    stack.freeze("azurite")
    try:
        stack.restart("functions")
        until(lambda: ada.get("/consoles").status_code == 200, "the API answers what needs no storage")
        refused = ada.request_session(WEB_01)
        assert (refused.status_code, refused.json()["error"]["code"]) == (
            504,
            "AzureTimeout",
        )  # frozen: silent, not away
        assert refused.json()["error"]["innererror"]["retryable"]
    finally:
        stack.thaw("azurite")
    until(stack.healthy, "all is healthy again")
    with reconnected(ada, takeover="never") as console:
        console.expect_said("hello")


@pytest.mark.qemu
def test_a_relay_that_starts_without_the_event_hub_loses_nothing(stack: LocalStack, ada: SignedIn) -> None:
    nothing_in_flight(stack, ada)
    stack.freeze("event-hubs")
    try:
        stack.restart("relay")
        with reconnected(ada) as console:
            console.log_in()
            console.run("say-hash 50 6")
            console.run("echo printed-without-a-hub")
    finally:
        stack.thaw("event-hubs")
    until(lambda: ada.transcript(WEB_01) == stack.printed(WEB_01), "what was printed meanwhile is in the archive, once")
    assert b"printed-without-a-hub\r\n" in ada.transcript(WEB_01)


@pytest.mark.qemu
def test_the_lock_and_the_archive_survive_the_function_app(stack: LocalStack, ada: SignedIn, grace: SignedIn) -> None:
    with ada.open(WEB_01) as console:
        console.log_in()
        stack.kill("functions")
        console.run("say-hash 100 5")
        console.run("echo still-here")
        until(lambda: ada.transcript(WEB_01) == stack.printed(WEB_01), "the archive caught up")
        with grace.open(WEB_01), pytest.raises(ConnectionClosed):  # as soon as the lock is back
            console.receive_until_closed()
        assert console.expect_said("bye")["code"] == "SessionSuperseded"


@pytest.mark.qemu
def test_a_lost_port_is_said_and_dialled_again(stack: LocalStack, ada: SignedIn) -> None:
    with ada.open(WEB_01) as console:
        console.log_in()
        nothing_in_flight(stack, ada)
        stack.gateway(WEB_01, "break-port", mode="close")
        while {"lost", "open"} - {said.get("state") for said in console.said if said["type"] == "port"}:
            console.receive()
        console.run("echo after-the-break")


def test_a_gateway_that_refuses_is_said_in_words(stack: LocalStack, ada: SignedIn) -> None:
    db = next(vm for vm in demo.VIRTUAL_MACHINES if vm.name == "db-01")
    stack.gateway(db, "break-port", mode="refuse")
    try:
        answer = ada.request_session(db).json()
        with pytest.raises(InvalidStatus) as refused:
            Console(answer)
        assert refused.value.response.status_code == 504
        assert b"did not respond in a timely manner" in refused.value.response.body
    finally:
        stack.gateway(db, "break-port", mode="restore")
