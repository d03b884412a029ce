"""A demo person at the API: signs in as a program would (code flow with PKCE), calls, opens consoles."""

import base64
import contextlib
import hashlib
import json
import secrets
import time
from types import TracebackType
from typing import Any, NoReturn, Self
from urllib.parse import parse_qs, urlsplit

import httpx
from websockets.sync.client import ClientConnection, connect

from dev import demo
from dev.stack import Port
from tests.e2e.local_stack import LocalStack
from tests.patience import PATIENCE

ASKS_WHERE = b"\x1b[6n"
"""What the guest's shell prints after its prompt: it asks a terminal for the cursor's place."""


_PASSWORD_TRIES = 4
_PASSWORD_SECONDS = 5.0


class SignedIn:
    """One person's API calls."""

    def __init__(self, stack: LocalStack, who: demo.Person) -> None:
        self.who = who
        self.token = _sign_in(stack, who)
        self.api = httpx.Client(
            base_url=f"{stack.address}/api", headers={"Authorization": f"Bearer {self.token}"}, timeout=PATIENCE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.api.close()

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.api.get(path, params=params)

    def request_session(self, vm: demo.VirtualMachine, **body: Any) -> httpx.Response:
        return self.api.post(f"{vm.id}/serialConsole/sessions", json=body)

    def open(self, vm: demo.VirtualMachine, *, resume: "Console | None" = None, **body: Any) -> "Console":
        """Where its lock is away, as it is for half a minute after a kill, asks again when it is told to."""
        end = time.monotonic() + PATIENCE
        while (answer := self.request_session(vm, **body)).status_code != 201:
            assert answer.headers.get("x-ms-error-code") == "LockUnavailable", answer.text
            assert time.monotonic() < end, "the lock never came back"
            time.sleep(int(answer.headers["retry-after"]))
        return Console(answer.json(), resume)

    def transcript(self, vm: demo.VirtualMachine) -> bytes:
        """All that was printed, from the archive, read piece by piece."""
        pieces: list[bytes] = []
        offset = 0
        while True:
            answer = self.get(f"{vm.id}/serialConsole/transcript", format="raw", offset=offset)
            assert answer.status_code == 200, answer.text
            if not answer.content:
                return b"".join(pieces)
            pieces.append(answer.content)
            offset = int(answer.headers["x-console-offset-next"])

    def events(self, vm: demo.VirtualMachine, name: str) -> list[dict[str, Any]]:
        """All of this name that are on record, read segment by segment."""
        found: list[dict[str, Any]] = []
        segment: str | None = "0"
        while segment is not None:
            answer = self.get(f"{vm.id}/serialConsole/transcript", format="events", segment=segment)
            assert answer.status_code == 200, answer.text
            found += [each for line in answer.text.splitlines() if (each := json.loads(line))["event"] == name]
            segment = answer.headers.get("x-console-segment-next")
        return found


class Console:
    """A WebSocket to the relay. `printed` is what was shown, without what was shown before `resume` broke."""

    def __init__(self, session: dict[str, Any], resume: "Console | None" = None) -> None:
        self.session = session
        self.epoch: str = ""
        self.next: int = 0
        query = f"?epoch={resume.epoch}&offset={resume.next}" if resume else ""
        self._leaving = contextlib.ExitStack()
        self.socket: ClientConnection = self._leaving.enter_context(
            connect(
                f"{session['relay']}/v1/console{query}",
                subprotocols=["serial-console.v1", f"serial-console.token.{session['token']}"],  # type: ignore[list-item]  # a str by another name
                max_size=None,
                compression=None,
                open_timeout=PATIENCE,
                ping_timeout=PATIENCE,
            )
        )
        self.printed = bytearray()
        self.said: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._leaving.close()

    def type(self, text: str) -> None:
        self.socket.send(text.encode())

    def receive(self, timeout: float = PATIENCE) -> None:
        """One frame. Raises TimeoutError, websockets.ConnectionClosed."""
        frame = self.socket.recv(timeout)
        if isinstance(frame, bytes):
            offset = int.from_bytes(frame[:8])
            assert offset == self.next, f"offset {offset} where {self.next} was due"
            self.next += len(frame) - 8
            self.printed += frame[8:]
            return
        self.said.append(json.loads(frame))
        if self.said[-1]["type"] == "hello":
            self.epoch, self.next = self.said[-1]["epoch"], self.said[-1]["offset"]

    def receive_waiting(self) -> None:
        """Whatever has arrived already."""
        with contextlib.suppress(TimeoutError):
            while True:
                self.receive(0.05)

    def receive_until_closed(self) -> NoReturn:
        """Raises websockets.ConnectionClosed, which says why."""
        while True:
            self.receive()

    def expect(self, text: str | bytes, since: int = 0) -> int:
        """Reads on until `text` is printed after position `since`; answers where it ends."""
        wanted = text.encode() if isinstance(text, str) else text
        while (at := self.printed.find(wanted, since)) < 0:
            try:
                self.receive()
            except TimeoutError:
                raise AssertionError(f"never printed: {wanted!r}; last was {bytes(self.printed[-400:])!r}") from None
        return at + len(wanted)

    def expect_said(self, kind: str) -> dict[str, Any]:
        while not (found := [frame for frame in self.said if frame["type"] == kind]):
            self.receive()
        return found[-1]

    def log_in(self) -> int:
        """Logs in as the demo user from wherever the machine is: boot, login prompt, or a shell left open."""
        live = self.expect_said("hello")["live"]
        while self.next < live:  # what was printed before is no answer to what is typed now
            self.receive()
        since = len(self.printed)
        self.type("\r")
        while True:
            seen = bytes(self.printed[since:]).removesuffix(ASKS_WHERE)
            if seen.rstrip().endswith(b"$"):
                return len(self.printed)
            if seen.rstrip().endswith(b"login:"):
                self.type(f"{demo.GUEST_USER}\r")
                return self._give_password(self.expect("Password: ", since))
            self.receive()

    def _give_password(self, since: int) -> int:
        """Again, where nothing comes of it: the guest throws away what is typed before it has switched its echo off."""
        for _ in range(_PASSWORD_TRIES):
            self.type(f"{demo.GUEST_PASSWORD}\r")
            with contextlib.suppress(TimeoutError):
                while (at := self.printed.find(b"$ ", since)) < 0:
                    self.receive(_PASSWORD_SECONDS)
                return at + 2
        return self.expect("$ ", since)

    def log_out(self) -> None:
        """Leaves the machine at its login prompt, as a good guest does."""
        at = self.log_in()
        self.type("exit\r")
        self.expect("login: ", at)

    def run(self, command: str) -> bytes:
        """What a shell command printed. Its end is a mark that the echo of the line does not contain."""
        mark = secrets.token_hex(4)
        since = len(self.printed)
        self.type(f"{command}; echo {mark[:4]}''{mark[4:]}\r")
        end = self.expect(f"{mark}\r\n", since)
        return bytes(self.printed[since:end])


def _sign_in(stack: LocalStack, who: demo.Person) -> str:
    entra = f"{stack.stack.http(Port.ENTRA_PAGE)}/{demo.TENANT}"
    redirect, verifier = f"{stack.address}/", secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": demo.PAGE_CLIENT, "redirect_uri": redirect, "response_type": "code", "state": "s",
        "scope": f"{demo.API_SCOPE} openid", "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    chosen = httpx.post(f"{entra}/login", data=asked | {"person": who.oid}, timeout=PATIENCE)
    code = parse_qs(urlsplit(chosen.headers["location"]).query)["code"][0]
    form = {
        "grant_type": "authorization_code", "client_id": demo.PAGE_CLIENT, "code": code, "redirect_uri": redirect,
        "code_verifier": verifier, "scope": f"{demo.API_SCOPE} openid",
    }  # fmt: skip
    answer = httpx.post(f"{entra}/oauth2/v2.0/token", data=form, timeout=PATIENCE).raise_for_status()
    token: str = answer.json()["access_token"]
    return token
