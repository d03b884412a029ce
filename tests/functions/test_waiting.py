"""Who waits, for news or for a slow Azure, takes no console from those who open one."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import azure.functions as func
import httpx
import pytest

from dev.arm.faults import Fault
from dev.demo import ADA, AUTOMATION, GRACE, RELAY
from dev.entra.tokens import app_token, user_token
from functions.http import waiting
from functions.http.binary_responses import handing_out
from functions.http.waiting import AGAIN_SECONDS, OF_ONE, PLACES, place_for
from functions.transcripts import _read
from shared import wiring
from tests.contract.memory_archive import MemoryArchive
from tests.fakes import VM, FakeDependencies
from tests.functions.control_plane import ControlPlane
from tests.functions.test_over_http import vm
from tests.patience import PATIENCE

STARTER = "waiting"
READERS = (ADA, GRACE)
POLL = f"{vm('web-02')}/serialConsole/transcript?format=raw&offset=0&wait=20"
read = handing_out("read_transcript", _read)


def asked(**query: str) -> func.HttpRequest:
    parts = {"subscription": VM.subscription, "group": VM.group, "name": VM.name}
    return func.HttpRequest("GET", "http://app.example/api", params=query, route_params=parts, body=b"")


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDependencies]:
    made = FakeDependencies()
    monkeypatch.setattr(wiring, "archive", lambda: MemoryArchive().archive)
    wiring.built[STARTER] = made.dependencies
    yield made
    del wiring.built[STARTER]


def test_one_caller_takes_few_places_and_all_together_not_all() -> None:
    with place_for("other") as other:
        assert other
        mine = [place_for("me") for _ in range(OF_ONE)]
        assert all(each.__enter__() for each in mine)
        with place_for("me") as more:
            assert not more
        many = [place_for(f"caller {number}") for number in range(PLACES - OF_ONE - 1)]
        assert all(each.__enter__() for each in many)
        with place_for("last") as last:
            assert not last
        for each in (*mine, *many):
            each.__exit__(None, None, None)
        with place_for("last") as last:
            assert last
    assert not waiting._waiting


@pytest.mark.usefixtures("fakes")
async def test_who_finds_no_place_is_answered_at_once_with_the_cursor_and_when_to_ask_again() -> None:
    polls = [asyncio.ensure_future(read(asked(wait="20"), STARTER)) for _ in range(OF_ONE)]
    for _ in range(1000):
        await asyncio.sleep(0)
    assert waiting._waiting.total() == OF_ONE
    response = await read(asked(wait="20"), STARTER)
    assert (response.status_code, response.get_body(), response.headers["Retry-After"]) == (200, b"", "1")
    assert response.headers["x-console-offset-next"] == "0"
    for each in polls:
        each.cancel()
    await asyncio.gather(*polls, return_exceptions=True)
    assert not waiting._waiting, "who goes away gives the place back"


@pytest.mark.usefixtures("fakes")
async def test_who_does_not_wait_needs_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PLACES", 0)
    response = await read(asked(wait="0"), STARTER)
    assert (response.status_code, "Retry-After" in response.headers) == (200, False)


class Crowd:
    """People who follow transcripts and look at a slow VM, and a relay's heartbeats, until it is left."""

    def __init__(self, plane: ControlPlane, *, polls: int, looks: int) -> None:
        self.plane, self.over, self.pending = plane, threading.Event(), 0
        self.beats, self.told_to_ask_again = 0, set[str]()
        self._lock = threading.Lock()
        self._client = httpx.Client(
            base_url=plane.host.client.base_url, timeout=PATIENCE, limits=httpx.Limits(max_connections=None)
        )
        self._pool = ThreadPoolExecutor(polls + looks + 2)
        tokens = [user_token(plane.stack, person) for person in READERS]
        self.done: list[Future[None]] = [
            self._pool.submit(self._follow, tokens[number % len(tokens)]) for number in range(polls)
        ]
        self.done += [self._pool.submit(self._look, tokens[number % len(tokens)]) for number in range(looks)]
        self.done.append(self._pool.submit(self._beat, app_token(plane.stack, RELAY)))

    def __enter__(self) -> Self:
        self.until(lambda: self.pending >= OF_ONE and bool(self.told_to_ask_again))
        return self

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def until_beats(self, count: int) -> None:
        self.until(lambda: self.beats >= count)

    def poll(self, token: str) -> Future[httpx.Response]:
        """One more, of somebody who finds a place: it lasts 20 s."""
        return self._pool.submit(self._get, POLL, token)

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._pool.shutdown()
        self._client.close()
        for each in self.done:
            each.result()

    def _get(self, path: str, token: str) -> httpx.Response:
        return self._client.get(path, headers={"Authorization": f"Bearer {token}"})

    def _follow(self, token: str) -> None:
        while not self.over.is_set():
            with self._lock:
                self.pending += 1
            answer = self._get(POLL, token)
            with self._lock:
                self.pending -= 1
            if again := answer.headers.get("retry-after"):
                self.told_to_ask_again.add(again)
            self.over.wait(1)

    def _look(self, token: str) -> None:
        while not self.over.wait(0.5):
            self._get(f"{vm('web-04')}/serialConsole", token)

    def _beat(self, token: str) -> None:
        while not self.over.wait(0.2):
            beat = {"relay": "r0", "sessions": []}
            sent = self._client.post("/api/relay/heartbeat", json=beat, headers={"Authorization": f"Bearer {token}"})
            assert sent.status_code == 200
            self.beats += 1


def _opened(plane: ControlPlane) -> httpx.Response:
    """An opening. A machine that is too busy for the 8 s of a request says so, and is asked again at once."""
    deadline = time.monotonic() + PATIENCE
    while True:
        opened = plane.call("POST", f"{vm('web-01')}/serialConsole/sessions", ADA, json={})
        if opened.status_code < 503 or time.monotonic() > deadline:
            return opened


def test_long_polls_heartbeats_and_a_slow_azure_take_no_console_from_who_opens_one(plane: ControlPlane) -> None:
    """More want to wait than the host works on at once (50, host.json): a poll lasts 20 s, an opening must not."""
    plane.world.faults = [Fault("virtualMachines/web-04", hang=2.0, count=1 << 30)]
    try:
        with Crowd(plane, polls=70, looks=10) as crowd:
            for _ in range(OF_ONE):
                poll, beats = crowd.poll(app_token(plane.stack, AUTOMATION)), crowd.beats
                opened = _opened(plane)
                assert opened.status_code == 201
                crowd.until_beats(beats + 2)  # the second began after the poll
                assert not poll.done(), "an opening and a heartbeat are shorter than a poll"
                assert crowd.pending >= OF_ONE
        assert crowd.told_to_ask_again == {str(AGAIN_SECONDS)}
    finally:
        plane.world.faults = []
