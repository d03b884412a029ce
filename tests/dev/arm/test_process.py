"""Both stand-ins as the supervisor starts them, and an SDK that trusts them by environment alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dev.demo import API_SECRET
from dev.stack import Port, Stack
from tests.patience import PATIENCE
from tests.ports import reserve_run

CLIENT = """
import asyncio, sys
from azure.identity.aio import ClientSecretCredential
from azure.mgmt.compute.aio import ComputeManagementClient
from dev.demo import API_SECRET, SERVICE, SUBSCRIPTION, TENANT

async def main(entra, arm):
    options = {"authority": entra, "disable_instance_discovery": True}
    async with ClientSecretCredential(TENANT, SERVICE.client, API_SECRET, **options) as credential:
        scopes = [f"{arm}/.default"]
        async with ComputeManagementClient(credential, SUBSCRIPTION, base_url=arm, credential_scopes=scopes) as compute:
            print((await compute.virtual_machines.get("rg-web", "web-01")).name)

asyncio.run(main(*sys.argv[1:]))
"""


@contextmanager
def started(part: str, stack: Stack) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", f"dev.{part}", "--base", str(stack.base), "--home", str(stack.home)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE)


@pytest.fixture
def stack(home: Path) -> Stack:
    """The processes bind its ports themselves."""
    return Stack(reserve_run(), home)


def until(process: subprocess.Popen[str], text: str) -> str:
    """Read the log until it says this; a process that ends early says why."""
    assert process.stderr is not None
    read = ""
    for line in process.stderr:
        read += line
        if text in line:
            return read
    pytest.fail(f"ended without saying {text!r}: {read}")


def test_an_sdk_trusts_them_by_environment_and_they_log_no_secret(stack: Stack) -> None:
    with started("entra", stack) as entra, started("arm", stack) as arm:
        assert "LOCAL STAND-IN for Microsoft Entra ID" in until(entra, "Listening")
        assert "LOCAL STAND-IN for Azure Resource Manager" in until(arm, "Listening")
        trust = {"SSL_CERT_FILE": str(stack.ca), "REQUESTS_CA_BUNDLE": str(stack.ca)}
        command = [sys.executable, "-c", CLIENT, stack.authority, stack.https(Port.ARM)]
        read = subprocess.run(
            command, env={**os.environ, **trust}, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert read.stdout.strip() == "web-01", read.stderr
        log = until(entra, "/oauth2/v2.0/token 200") + until(arm, "/virtualMachines/web-01 200")
        assert API_SECRET not in log
        assert "eyJ" not in log
        assert "api-version" not in log
    assert (entra.returncode, arm.returncode) == (0, 0)
