"""The smoke test as a pipeline runs it: against a service that works, and against what stands in its way."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from dev import demo
from dev.parts import signed_in_as
from dev.stack import ROOT, Port
from tests.e2e.local_stack import LocalStack, until
from tests.e2e.person import SignedIn
from tests.patience import PATIENCE

WEB_01, WEB_02 = (vm for vm in demo.VIRTUAL_MACHINES if vm.name in ("web-01", "web-02"))


@dataclass
class Tried:
    status: int
    output: str

    @property
    def rows(self) -> dict[str, Any]:
        return {row["step"]: row for row in json.loads(self.output)["steps"]}

    def words(self, step: str) -> str:
        return str(self.rows[step]["words"])

    def failing(self) -> list[str]:
        return [name for name, row in self.rows.items() if row["result"] == "fails"]


def command(stack: LocalStack, vm: str, *words: str) -> list[str]:
    return [
        sys.executable, "-m", "smoke", "--api", f"{stack.address}/api", "--vm", vm, "--ca", str(stack.stack.ca), *words,
    ]  # fmt: skip


def signed_in(stack: LocalStack, **environment: str) -> dict[str, str]:
    return os.environ | signed_in_as(stack.stack, demo.AUTOMATION) | environment


def smoke(stack: LocalStack, vm: str, *words: str, **environment: str) -> Tried:
    env = signed_in(stack, **environment)
    done = subprocess.run(
        command(stack, vm, *words), cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Tried(done.returncode, done.stdout)


def writer(who: SignedIn, vm: demo.VirtualMachine) -> Any:
    return who.get(f"{vm.id}/serialConsole").json()["console"]["writer"]


def test_everything_works_and_the_console_is_free_afterwards(stack: LocalStack, ada: SignedIn) -> None:
    until(lambda: writer(ada, WEB_01) is None, "nobody writes")
    tried = smoke(stack, WEB_01.id, "--json")
    assert tried.status == 0, tried.output
    assert json.loads(tried.output)["works"]
    assert tried.words("revoke") == "closed with 4008 SessionEnded"
    assert "nothing missing" in tried.words("resume")
    assert writer(ada, WEB_01) is None


def test_a_person_reads_a_table_and_no_secret(stack: LocalStack, ada: SignedIn) -> None:
    tried = smoke(stack, WEB_01.id, COLUMNS="80", SMOKE_TOKEN=ada.token)
    assert tried.status == 0, tried.output
    assert all(len(line) <= 80 for line in tried.output.splitlines())
    assert "by the token in SMOKE_TOKEN" in tried.output
    assert ada.token not in tried.output


def test_a_vm_that_is_off_is_named_and_the_rest_is_skipped(stack: LocalStack) -> None:
    tried = smoke(stack, WEB_02.id, "--json")
    assert (tried.status, tried.failing()) == (1, ["preflight"])
    assert tried.words("preflight").startswith("VmNotRunning: ")
    assert tried.rows["open"]["result"] == "skipped"


def test_a_vm_that_is_not_there_is_not_found(stack: LocalStack) -> None:
    tried = smoke(stack, WEB_01.id.replace("web-01", "web-99"), "--json")
    assert (tried.status, tried.failing()) == (1, ["preflight"])
    assert tried.words("preflight").startswith("VmNotFound (404): ")


def test_who_is_at_the_console_stays_there(stack: LocalStack, grace: SignedIn) -> None:
    with grace.open(WEB_01) as console:
        console.expect_said("hello")
        tried = smoke(stack, WEB_01.id, "--json")
        assert (tried.status, tried.failing()) == (1, ["open"])
        assert tried.words("open").startswith("ConsoleInUse (409): ")
        assert writer(grace, WEB_01)["name"] == demo.GRACE.name


def test_a_token_that_is_none_is_refused(stack: LocalStack) -> None:
    tried = smoke(stack, WEB_01.id, "--json", SMOKE_TOKEN="nonsense")
    assert (tried.status, tried.failing()) == (1, ["preflight"])
    assert "401" in tried.words("preflight")


def test_without_a_way_to_sign_in_the_way_is_told(stack: LocalStack) -> None:
    tried = smoke(stack, WEB_01.id, "--json", AZURE_CLIENT_SECRET="wrong")
    assert (tried.status, tried.failing()) == (1, ["sign-in"])
    assert "az login" in tried.words("sign-in")


@pytest.mark.parametrize(
    "words",
    [
        ["--vm", "web-01"],
        ["--ca", "/no/such/file"],
        ["--takeover", "perhaps"],
        ["--timeout", "-1"],
        ["--timeout", "nan"],
    ],
)
def test_what_cannot_begin_says_so(stack: LocalStack, words: list[str]) -> None:
    tried = smoke(stack, WEB_01.id, *words)
    assert tried.status == 2


def test_a_service_that_is_away_is_named(stack: LocalStack) -> None:
    away = f"http://localhost:{stack.stack.port(Port.FRONT_DOOR) + 900}/api"
    tried = smoke(stack, WEB_01.id, "--json", "--api", away)
    assert (tried.status, tried.failing()) == (1, ["service"])
    assert away in tried.words("service")


class Otherwise(BaseHTTPRequestHandler):
    """Something that answers all right, and not as the API does."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *said: object) -> None:
        pass


def test_an_address_that_is_not_the_api_is_a_failure_and_no_fault(stack: LocalStack) -> None:
    with HTTPServer(("localhost", 0), Otherwise) as server:
        threading.Thread(target=server.serve_forever).start()
        tried = smoke(stack, WEB_01.id, "--json", "--api", f"http://localhost:{server.server_port}")
        server.shutdown()
    assert tried.status == 1
    assert "is this the API?" in tried.words("service")


def test_what_is_terminated_leaves_the_console_free(stack: LocalStack, ada: SignedIn) -> None:
    until(lambda: writer(ada, WEB_01) is None, "nobody writes")
    running = subprocess.Popen(command(stack, WEB_01.id), cwd=ROOT, env=signed_in(stack), stdout=subprocess.DEVNULL)
    until(lambda: writer(ada, WEB_01) is not None, "the smoke test writes")
    running.terminate()
    assert running.wait(PATIENCE) == 2
    until(lambda: writer(ada, WEB_01) is None, "nobody writes")
