"""The host as a child process (an app can be indexed once per process), and what it logs."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[3]
APP = Path(__file__).parent / "sample_app"
NO_HUB = "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=R;SharedAccessKey=S;UseDevelopmentEmulator=true;"
ENGINE_READY = "the durable engine is ready"
DEFAULTS = {
    "SAMPLE_HUB": "records",
    "SAMPLE_EVENTHUB": NO_HUB,
    "SAMPLE_SCHEDULE": "0 0 0 1 1 *",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
}


class HostProcess:
    def __init__(self, app: Path, settings: dict[str, str], extra: tuple[str, ...]) -> None:
        command = [sys.executable, "-m", "dev.functions_host", str(app), "--port", "0", *extra]
        environment = {**os.environ, **DEFAULTS, **settings}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self._has_engine = "--engine" in extra
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.client = httpx.Client(timeout=PATIENCE)

    @property
    def log(self) -> str:
        return "\n".join(self.lines)

    def until_ready(self) -> None:
        self.until_listening()
        if self._has_engine:  # it answers before, but for its task hub
            until(lambda: ENGINE_READY in self.log, self)

    def until_listening(self) -> None:
        until(lambda: "ready on" in self.log or self.process.poll() is not None, self)
        address = re.search(r"ready on (\S+)", self.log)
        assert address, self.log
        self.client.base_url = httpx.URL(address[1])

    def get(self, path: str, **options: dict[str, str]) -> httpx.Response:
        return self.client.get(f"/api/{path}", **options)  # type: ignore[arg-type]  # headers or params

    def post(self, path: str, value: object = None) -> httpx.Response:
        return self.client.post(f"/api/{path}", json=value)

    def run(self, orchestration: str, value: object) -> dict[str, object]:
        done = self.post(f"run/{orchestration}", value)
        assert done.status_code == 200, self.log
        result: dict[str, object] = done.json()
        return result

    def seen(self) -> list[dict[str, object]]:
        """What the Event Hub function was called with."""
        calls: list[dict[str, object]] = self.get("seen").json()["seen"]
        return calls

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ends the process; answers its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self._reader.join()
            if self.process.stderr:
                self.process.stderr.close()
            self.client.close()

    def _read(self) -> None:
        assert self.process.stderr
        self.lines.extend(line.rstrip("\n") for line in self.process.stderr)


@contextmanager
def running(
    app: Path = APP, settings: dict[str, str] | None = None, extra: tuple[str, ...] = (), *, ready: bool = True
) -> Iterator[HostProcess]:
    host = HostProcess(app, settings or {}, extra)
    try:
        if ready:
            host.until_ready()
        yield host
    finally:
        host.end()


def until(condition: Callable[[], bool], host: HostProcess | None = None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, host.log if host else "it did not come"
        time.sleep(0.02)
