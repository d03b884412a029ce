"""A client of the service: the API by HTTPS, the console by WebSocket. Failures raise Failed with a reason."""

import json
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Self

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from smoke.outcome import Failed, TimedOut

PROTOCOL, TOKEN = "serial-console.v1", "serial-console.token."
_LONGEST_ANSWER = 300
_PASSING = (429, 500, 502, 503, 504)
_NOT_RUNNING = "Function host is not running."
"""The host's answer before it has loaded the service (docs/errors.md)."""
_WAITS = (0.5, 1.0, 2.0)
"""Seconds before each further try."""


class Api:
    """Calls below one address that ends in /api. `timeout` is seconds, for each call and each wait."""

    def __init__(self, address: str, trust: ssl.SSLContext, timeout: float) -> None:
        self.address = address.rstrip("/")
        self.trust, self.timeout = trust, timeout
        self._http = httpx.Client(verify=trust, timeout=timeout, trust_env=True)
        self.token: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def ask(self, method: str, path: str, *, signed: bool = True, **options: Any) -> httpx.Response:
        """Sends a request and returns the answer, whatever its status. Raises Failed if there is no answer.

        A passing answer of the Functions host is retried if that is safe. `signed` sends the access token.
        """
        for wait in _WAITS:
            answer = self._send(method, path, signed=signed, **options)
            if not _is_passing(answer):
                return answer
            time.sleep(wait)
        return self._send(method, path, signed=signed, **options)

    def _send(self, method: str, path: str, *, signed: bool, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if signed and self.token else {}
        try:
            return self._http.request(method, f"{self.address}{path}", headers=headers, **options)
        except httpx.HTTPError as error:  # its text names the address and the fault
            raise Failed(f"{self.address} does not answer: {error or type(error).__name__}") from None
        except httpx.InvalidURL as error:
            raise Failed(f"{self.address} is no address: {error}") from None

    def get(self, path: str, **query: Any) -> httpx.Response:
        return expect(self.ask("GET", path, params=query), 200)

    def get_json(self, path: str, **query: Any) -> Any:
        """Returns the JSON of a 200 answer. Raises Failed, also if the answer is not JSON."""
        return json_of(self.get(path, **query))

    def get_list(self, path: str) -> list[Any]:
        """Returns the items of all pages. Raises Failed."""
        page = self.get_json(path)
        items: list[Any] = page["value"]
        while page.get("next") is not None:
            page = self.get_json(path, cursor=page["next"])
            items += page["value"]
        return items


def _is_passing(answer: httpx.Response) -> bool:
    """Returns whether the host answered instead of the service, and a retry is safe (docs/errors.md).

    The host is busy, or its worker is being replaced.
    """
    if "x-ms-error-code" in answer.headers or answer.status_code not in _PASSING:
        return False
    if answer.request.method == "GET" or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return True
    return answer.text == _NOT_RUNNING  # no function has received the request


def expect(answer: httpx.Response, *statuses: int) -> httpx.Response:
    """Returns the answer if it has one of these statuses. Raises Failed with the service's code, message and fix."""
    if answer.status_code not in statuses:
        raise Failed(refusal_of(answer))
    return answer


def json_of(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise Failed(f"answered {answer.status_code} with something that is not JSON: is this the API?") from None


def refusal_of(answer: httpx.Response) -> str:
    """Returns the text of a refusal: `Code (status): message. Fix`."""
    try:
        error = answer.json()["error"]
        inner = error.get("innererror") or {}
        parts = [
            f"{error['code']} ({answer.status_code}): {error['message']}",
            inner.get("fix"),
            inner.get("fixCommand"),
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        text = answer.text[:_LONGEST_ANSWER] or "nothing in it: the Functions host's own answer, see docs/errors.md"
        return f"answered {answer.status_code}: {text}"
    return " ".join(each for each in parts if each)


class Socket:
    """A console's WebSocket. `shown` has every byte since `hello`; `texts` has the text frames."""

    def __init__(self, relay: str, token: str, trust: ssl.SSLContext, timeout: float, resume: str = "") -> None:
        """Connects and waits for `hello`. Raises Failed."""
        self.shown = bytearray()
        self.texts: list[dict[str, Any]] = []
        self._timeout = timeout
        self._left = ExitStack()
        self._socket = self._left.enter_context(_connected(f"{relay}/v1/console{resume}", token, trust, timeout))
        self.hello = self.until("hello")
        self.epoch, self.start = str(self.hello["epoch"]), int(self.hello["offset"])

    @property
    def next(self) -> int:
        """The offset in the epoch of the next byte."""
        return self.start + len(self.shown)

    def type(self, keys: bytes) -> None:
        try:
            self._socket.send(keys)
        except ConnectionClosed as closed:
            raise Failed(_closed(closed)) from None

    def until(self, kind: str) -> dict[str, Any]:
        """Waits for the next text frame of this type and returns it. Raises Failed."""
        deadline, already = time.monotonic() + self._timeout, len(self.texts)
        while True:
            self._receive(deadline, f"the relay's {kind}")
            for text in self.texts[already:]:
                if text.get("type") == kind:
                    return text

    def printed_after(self, offset: int) -> None:
        """Waits until a byte behind this offset of the epoch is shown. Raises Failed."""
        deadline = time.monotonic() + self._timeout
        while self.next <= offset:
            self._receive(deadline, "anything that the VM prints")

    def quiet(self, seconds: float) -> None:
        """Waits until nothing is shown for `seconds`. Raises Failed."""
        deadline = time.monotonic() + self._timeout
        while (now := time.monotonic()) < deadline:
            try:
                self._receive(now + seconds, "a pause")
            except TimedOut:
                return
        raise Failed("the VM prints without a pause: an answer of its could not be told from the rest")

    def end(self) -> tuple[int, str]:
        """Waits for the relay's close and returns its code and reason. Raises Failed."""
        deadline = time.monotonic() + self._timeout
        try:
            while True:
                self._receive(deadline, "the end of the session", ending=True)
        except ConnectionClosed as closed:
            got = closed.rcvd
            return (got.code, got.reason) if got else (1006, "")

    def leave(self) -> None:
        self._left.close()

    def _receive(self, deadline: float, what: str, *, ending: bool = False) -> None:
        try:
            frame = self._socket.recv(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            raise TimedOut(f"waited {self._timeout:.0f} s for {what}") from None
        except ConnectionClosed as closed:
            if ending:
                raise
            raise Failed(f"waited for {what}: {_closed(closed)}") from None
        if isinstance(frame, str):
            self.texts.append(json.loads(frame))
            return
        offset = int.from_bytes(frame[:8])
        if offset != self.next:
            raise Failed(f"byte {self.next} of the epoch was due, and byte {offset} came")
        self.shown += frame[8:]


@contextmanager
def _connected(address: str, token: str, trust: ssl.SSLContext, timeout: float) -> Iterator[ClientConnection]:
    offered: Any = [PROTOCOL, TOKEN + token]
    secure = trust if address.startswith("wss://") else None
    with ExitStack() as closed:
        try:
            socket = closed.enter_context(
                connect(
                    address, subprotocols=offered, ssl=secure, open_timeout=timeout, close_timeout=timeout,
                    max_size=None, compression=None,
                )
            )  # fmt: skip
        except InvalidStatus as refused:
            body = httpx.Response(refused.response.status_code, content=bytes(refused.response.body or b""))
            raise Failed(refusal_of(body)) from None
        except (OSError, TimeoutError, WebSocketException) as error:
            raise Failed(f"the relay {address.partition('?')[0]} cannot be reached: {type(error).__name__}") from None
        yield socket


def _closed(closed: ConnectionClosed) -> str:
    got = closed.rcvd
    return f"the relay closed with {got.code} {got.reason}" if got else "the connection to the relay broke"
