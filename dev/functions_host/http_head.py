"""The head of a request, and what a request may not be: as Kestrel, the real host's server, reads it.

Limits: dotnet/aspnetcore, src/Servers/Kestrel/Core/src/KestrelServerLimits.cs.
Refusals were seen on the real host (4.1037).
"""

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

LINE_LIMIT = 8 * 1024
"""Bytes of the request line, with its end; above it 414."""
HEADERS_LIMIT, HEADERS_MOST = 32 * 1024, 100
"""Bytes of all header lines, and how many there may be; above either 431."""

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP/1\.([01])")
VALUE = re.compile(rb"[\t\x20-\x7e]*")
"""A header that is not ASCII, or holds a control character, is refused."""


class Refused(Exception):
    """A request that no function hears of; the connection ends with the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


@dataclass(frozen=True)
class Head:
    """A request's head. `headers`: names in lower case; what was sent more than once is joined by commas."""

    method: str
    target: str
    """Path and query as they were sent."""
    is_old: bool
    """HTTP/1.0: no chunks, and the connection ends with the answer."""
    headers: dict[str, str]

    @property
    def is_chunked(self) -> bool:
        return "transfer-encoding" in self.headers

    @property
    def length(self) -> int:
        """Bytes of the body that were announced; 0 where it comes in chunks."""
        return 0 if self.is_chunked else int(self.headers.get("content-length", 0))

    @property
    def is_last(self) -> bool:
        """Whether the connection ends with the answer; also where a length and chunks contradict each other."""
        asked = self.headers.get("connection", "").lower()
        if self.is_old:
            return "keep-alive" not in asked
        return "close" in asked or "x-content-length" in self.headers


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next request's head; None: there is none any more.

    Raises:
        Refused: it breaks a limit or a rule.

    """
    if not (line := await _line(reader, 414)):
        return None
    if len(line) > LINE_LIMIT:
        raise Refused(414)
    return _head(line[:-2], await _header_lines(reader))


async def _line(reader: asyncio.StreamReader, status: int) -> bytes:
    """A line with its end; nothing where the client has gone."""
    try:
        return await reader.readuntil(b"\r\n")
    except asyncio.LimitOverrunError:
        raise Refused(status) from None
    except asyncio.IncompleteReadError:
        return b""


async def _header_lines(reader: asyncio.StreamReader) -> list[bytes]:
    lines: list[bytes] = []
    size = 0
    while (line := await _line(reader, 431)) != b"\r\n":
        size += len(line)
        lines.append(line[:-2])
        if not line:
            raise Refused(400)
        if size > HEADERS_LIMIT or len(lines) > HEADERS_MOST:
            raise Refused(431)
    return lines


def _head(line: bytes, lines: list[bytes]) -> Head:
    found = REQUEST_LINE.fullmatch(line)
    if found is None:
        raise Refused(400)
    method, target, minor = (part.decode() for part in found.groups())
    headers: dict[str, str] = {}
    for name, value in map(_header, lines):
        if name in headers and name in {"host", "content-length"}:
            raise Refused(400)
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    if "host" not in headers and minor == "1":
        raise Refused(400)
    return Head(method, _origin_form(target, headers), minor == "0", _framed(headers, method, is_old=minor == "0"))


def _header(line: bytes) -> tuple[str, str]:
    name, colon, value = line.partition(b":")
    value = value.strip(b" \t")
    if not colon or not TOKEN.fullmatch(name) or not VALUE.fullmatch(value):
        raise Refused(400)
    return name.decode().lower(), value.decode()


def _framed(headers: dict[str, str], method: str, *, is_old: bool) -> dict[str, str]:
    """How the body comes. A length beside chunks is told under another name, as Kestrel does."""
    length, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if length is not None and not (length.isascii() and length.isdigit()):
        raise Refused(400)
    if coding is not None and (is_old or coding.rpartition(",")[2].strip().lower() != "chunked"):
        raise Refused(400)
    if is_old and length is None and method in {"POST", "PUT"}:
        raise Refused(400)
    if coding is None or length is None:
        return headers
    return {name: value for name, value in headers.items() if name != "content-length"} | {"x-content-length": length}


def _origin_form(target: str, headers: dict[str, str]) -> str:
    """The target without scheme and host, which have to be those of the Host header."""
    if target.startswith("/"):
        return target
    whole = urlsplit(target)
    if not whole.scheme or whole.netloc != headers.get("host"):
        raise Refused(400)
    return (whole.path or "/") + (f"?{whole.query}" if whole.query else "")
