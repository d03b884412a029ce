"""Microsoft's storage emulator on free ports, in memory."""

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.parts import AZURITE_KEY
from dev.stack import ROOT
from tests.patience import PATIENCE

_PROGRAM = ROOT / "dev/azurite/node_modules/.bin/azurite"
_LISTENING = re.compile(
    r"Azurite (Blob|Queue|Table) service (?:is successfully listening|successfully listens) (?:at|on) (\S+)"
)
_SERVICES = 3


@contextmanager
def azurite(folder: Path) -> Iterator[str]:
    """Its connection string. What it leaves behind, if anything, is in the folder."""
    with azurite_process(folder) as (connection, _):
        yield connection


@contextmanager
def azurite_process(folder: Path) -> Iterator[tuple[str, int]]:
    """Its connection string and its process id, for who wants to freeze it."""
    folder.mkdir(exist_ok=True)
    command = [
        "node", str(_PROGRAM), "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry",
        *(word for name in ("blob", "queue", "table") for word in (f"--{name}Port", "0")),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)
    found: dict[str, str] = {}
    ready = threading.Event()

    def read() -> None:
        assert process.stdout
        for line in process.stdout:
            if said := _LISTENING.search(line):
                found[said[1]] = said[2]
            if len(found) == _SERVICES:
                ready.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert ready.wait(PATIENCE), f"azurite did not start: {found}"
        endpoints = "".join(f"{name}Endpoint={address}/devstoreaccount1;" for name, address in found.items())
        account = f"AccountName=devstoreaccount1;AccountKey={AZURITE_KEY}"
        yield f"DefaultEndpointsProtocol=http;{account};{endpoints}", process.pid
    finally:
        process.kill()
        process.wait()
        reader.join()
        if process.stdout:
            process.stdout.close()
