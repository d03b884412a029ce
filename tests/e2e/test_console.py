"""From the API to a real machine and back: what is typed, shown, kept."""

import hashlib
import re
import socket

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dev import demo
from dev.machines import test_pattern
from tests.e2e.local_stack import LocalStack, once, until
from tests.e2e.person import Console, SignedIn

WEB_01 = demo.VIRTUAL_MACHINES[0]


@pytest.mark.qemu
def test_an_operator_logs_in_and_runs_a_command(ada: SignedIn) -> None:
    with ada.open(WEB_01) as console:
        console.log_in()
        assert b"Linux web-01" in console.run("uname -sn")
        assert b"65536" in console.run("echo $((256*256))")


@pytest.mark.qemu
def test_the_transcript_is_what_the_machine_printed_byte_for_byte(stack: LocalStack, ada: SignedIn) -> None:
    with ada.open(WEB_01) as console:
        console.log_in()
        since = len(console.printed)
        console.type("say-hash 300 7\r")
        said = re.compile(rb"sha256 ([0-9a-f]{64})\r\n")
        while not (found := said.search(console.printed, since)):
            console.receive()
        shown = bytes(console.printed[since : found.end()])
    known = test_pattern.stream(300, 7)
    assert known in shown, "the viewer saw what the guest printed"
    assert hashlib.sha256(known).hexdigest().encode() == found[1], "the guest's own hash agrees"
    until(lambda: ada.transcript(WEB_01) == stack.printed(WEB_01), "the archive holds all that COM1 gave")
    assert ada.transcript(WEB_01).count(known) == 1
    assert once(ada.transcript(WEB_01)) == once(stack.logged_by_qemu(WEB_01)), "and so does QEMU's own log"


@pytest.mark.qemu
def test_a_console_opened_ten_times_on_a_silent_vm_adds_no_printed_byte(stack: LocalStack, ada: SignedIn) -> None:
    with ada.open(WEB_01) as console:
        console.log_in()
        until(lambda: ada.transcript(WEB_01) == stack.printed(WEB_01), "the archive holds all that COM1 gave")
        recorded, since = ada.transcript(WEB_01), len(ada.events(WEB_01, "replayed"))
        for times in range(1, 11):
            stack.gateway(WEB_01, "break-port", mode="close")
            while sum(said.get("state") == "open" for said in console.said if said["type"] == "port") < times:
                console.receive()
        until(lambda: len(ada.events(WEB_01, "replayed")) == since + 10, "ten openings are on record")
        console.run("echo opened-ten-times")
    until(lambda: ada.transcript(WEB_01) == stack.printed(WEB_01), "the archive holds all that COM1 gave")
    assert ada.transcript(WEB_01).startswith(recorded)
    assert b"opened-ten-times" in ada.transcript(WEB_01)[len(recorded) :][:200], "and nothing before it"
    assert all(
        each["found"] and each["length"] and not each["before"] for each in ada.events(WEB_01, "replayed")[since:]
    )


def test_a_second_person_displaces_the_first_and_is_named(ada: SignedIn, grace: SignedIn) -> None:
    with ada.open(WEB_01) as first:
        second_answer = grace.request_session(WEB_01)
        assert second_answer.json()["displaced"]["name"] == "Ada Lovelace"
        with Console(second_answer.json()), pytest.raises(ConnectionClosed) as closed:
            first.receive_until_closed()
        bye = first.expect_said("bye")
    assert (bye["code"], bye["by"]) == ("SessionSuperseded", {"name": "Grace Hopper"})
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4001


def test_never_refuses_while_somebody_holds_the_console_and_says_who(ada: SignedIn, grace: SignedIn) -> None:
    with ada.open(WEB_01) as console:
        console.expect_said("hello")
        refused = grace.request_session(WEB_01, takeover="never")
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "ConsoleInUse"
    assert "Ada Lovelace" in refused.json()["error"]["message"]


def test_a_watcher_sees_what_the_writer_sees_and_cannot_type(ada: SignedIn, grace: SignedIn) -> None:
    with ada.open(WEB_01) as writer:
        writer.log_in()
        with grace.open(WEB_01, mode="watch") as watcher:
            watcher.expect_said("hello")
            watcher.type("echo from-the-watcher\r")
            assert watcher.expect_said("warning")["code"] == "WatchOnly"
            assert b"from-the-watcher" not in writer.run("echo from-the-writer")
            watcher.expect("from-the-writer")


def test_a_returning_viewer_goes_on_at_the_byte_where_it_broke(ada: SignedIn) -> None:
    with ada.open(WEB_01) as first:
        first.log_in()
        first.run("echo before")
        first.socket.socket.shutdown(socket.SHUT_RDWR)  # the network is gone, without a goodbye
    with ada.open(WEB_01, resume=first) as second:
        hello = second.expect_said("hello")
        assert (hello["epoch"], hello["offset"], hello["gap"]) == (first.epoch, first.next, False)
        second.run("echo after")


def test_a_session_token_opens_one_console_once(ada: SignedIn) -> None:
    answer = ada.request_session(WEB_01).json()
    with Console(answer) as console:
        console.expect_said("hello")
    with pytest.raises(InvalidStatus) as replayed:
        Console(answer)
    assert replayed.value.response.status_code == 401
    assert b"TokenReplayed" in replayed.value.response.body


def test_a_forged_token_never_reaches_the_vm(ada: SignedIn) -> None:
    answer = ada.request_session(WEB_01).json()
    head, _, _ = answer["token"].rpartition(".")
    with pytest.raises(InvalidStatus) as refused:
        Console({**answer, "token": f"{head}.{'A' * 86}"})
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize(
    ("name", "code"),
    [("web-02", "VmNotRunning"), ("web-03", "BootDiagnosticsDisabled"), ("web-05", "VmProvisioning")],
)
def test_what_stands_in_the_way_of_a_console_is_said(ada: SignedIn, name: str, code: str) -> None:
    vm = next(vm for vm in demo.VIRTUAL_MACHINES if vm.name == name)
    refused = ada.request_session(vm)
    error = refused.json()["error"]
    assert code in {error["code"], *(detail["code"] for detail in error.get("details", []))}
    assert refused.headers["x-ms-error-code"] == error["code"]
    assert error["innererror"]["fixCommand"].startswith("az ")


def test_a_reader_may_open_no_console(grace: SignedIn, alan: SignedIn) -> None:
    db = next(vm for vm in demo.VIRTUAL_MACHINES if vm.name == "db-01")
    for person, vm in ((grace, db), (alan, WEB_01)):
        refused = person.request_session(vm)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "VmPermissionDenied")


def test_a_vm_created_with_ssh_keys_only_is_opened_with_a_warning(ada: SignedIn) -> None:
    vm = next(vm for vm in demo.VIRTUAL_MACHINES if vm.login is demo.Login.SSH_KEYS)
    answer = ada.request_session(vm)
    assert answer.status_code == 201, answer.text
    assert "PasswordLoginUnavailable" in {warning["code"] for warning in answer.json()["warnings"]}


def test_no_log_holds_a_token_or_what_was_typed(stack: LocalStack, ada: SignedIn) -> None:
    answer = ada.request_session(WEB_01).json()
    with Console(answer) as console:
        console.log_in()
        console.run("true correct-horse-battery")
    for part, log in stack.logs().items():
        assert answer["token"] not in log, part
        assert ada.token not in log, part
        assert "correct-horse-battery" not in log, part
        assert demo.API_SECRET not in log, part
