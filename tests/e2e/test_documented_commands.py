"""Every curl line of the README and the docs, run as it stands there against the running service."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from dev import demo
from dev.stack import ROOT
from tests.e2e.local_stack import LocalStack, until
from tests.e2e.person import SignedIn

WEB_01 = next(vm for vm in demo.VIRTUAL_MACHINES if vm.name == "web-01")
README_ADDRESS = "http://localhost:8400"
FOR_TENANT_ADMINISTRATORS = "$API/policy"
"""Nobody of the demo is one: the refusal is tried instead."""
STRICT = 'curl() { command curl --silent --show-error --fail-with-body --max-time 60 "$@"; }\n'


@dataclass(frozen=True)
class Line:
    page: str
    number: int
    command: str


def lines() -> list[Line]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [
        Line(page.name, number, line.strip())
        for page in pages
        for number, line in enumerate(page.read_text().splitlines(), 1)
        if line.startswith("    curl ") and page.name != "verify-in-azure.md"
    ]


LINES = lines()


@pytest.fixture(scope="module")
def environment(stack: LocalStack) -> Iterator[dict[str, str]]:
    """As a reader has it: an address, a token, a VM that has printed something; what they switched is put back."""

    def booted() -> bool:
        return ada.get(f"{WEB_01.id}/serialConsole/transcript", at="boot").status_code == httpx.codes.OK

    with SignedIn(stack, demo.ADA) as ada, ada.open(WEB_01) as console:
        console.log_in()
        console.run("echo Linux version 6.1")  # the demo's kernel boots without a word
        until(booted, "a boot is on record")
        yield os.environ | {
            "API": f"{stack.address}/api", "VM": WEB_01.id, "TOKEN": ada.token, "NEXT": "0",
        }  # fmt: skip
        for what in ("policy", "hold"):
            ada.api.delete(f"{WEB_01.id}/serialConsole/{what}")


def run(line: Line, environment: dict[str, str], stack: LocalStack) -> subprocess.CompletedProcess[str]:
    command = line.command.replace(README_ADDRESS, stack.address)
    assert README_ADDRESS not in command
    return subprocess.run(
        ["bash", "-c", STRICT + command], env=environment, capture_output=True, text=True, check=False
    )


def test_there_are_lines_to_run() -> None:
    assert {line.page for line in LINES} >= {"README.md", "transcripts.md", "verify.md", "operations.md"}


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.page}:{line.number}")
def test_a_line_of_the_documents_does_what_it_says(
    line: Line, environment: dict[str, str], stack: LocalStack, ada: SignedIn
) -> None:
    if FOR_TENANT_ADMINISTRATORS in line.command:
        assert '"AdministrationDenied"' in run(line, environment, stack).stdout
        return
    done = run(line, environment, stack)
    assert done.returncode == 0, f"{line.command}\n{done.stdout}{done.stderr}"
    if '"console":"off"' in line.command:
        assert ada.api.delete(f"{WEB_01.id}/serialConsole/policy").status_code == 204


def test_a_line_that_does_not_work_is_told(environment: dict[str, str], stack: LocalStack) -> None:
    wrong = Line("x", 1, re.sub(r"serialConsole.*$", 'serialConsole/nothing"', LINES[-1].command))
    assert run(wrong, environment, stack).returncode != 0
