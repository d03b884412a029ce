"""How the management SDKs come into a process: late, and beside its event loop."""

import subprocess
import sys

import pytest

from dev.stack import ROOT
from shared import wiring
from shared.access.azure import arm_clients
from tests.fakes import FakeClock, settings

ASKS = """
import asyncio, sys, threading
import shared.wiring
from shared.access.azure.arm_clients import asking_arm, importing

class Watch:
    threads = set()

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.startswith("azure.mgmt."):
            cls.threads.add(threading.current_thread())

async def ask():
    async with asking_arm():
        assert "azure.mgmt.compute.aio" in sys.modules
    assert importing() is importing()

assert not [name for name in sys.modules if name.startswith("azure.mgmt.")], "before anybody asked"
sys.meta_path.insert(0, Watch)
asyncio.run(ask())
assert Watch.threads and threading.main_thread() not in Watch.threads
"""


def test_nobodys_event_loop_stands_still_while_the_sdks_are_imported() -> None:
    subprocess.run([sys.executable, "-c", ASKS], cwd=ROOT, check=True)


async def test_what_is_made_for_the_first_request_begins_the_import(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[bool] = []
    monkeypatch.setattr(arm_clients, "importing", lambda: begun.append(True))
    monkeypatch.setattr(wiring, "credential", lambda: None)
    wiring._azure_adapters(settings(), FakeClock(), None)
    assert begun == [True]
