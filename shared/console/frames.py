"""The protocol between browser and relay (docs/protocol.md).

Binary frames carry bytes: towards the relay what was typed, as it is; towards the browser what was printed,
after the eight bytes (big-endian) of its offset in the epoch. Text frames carry JSON objects with a `type`.
"""

import base64
import json
import struct
from dataclasses import dataclass
from typing import Any

PROTOCOL = "serial-console.v1"
"""The WebSocket subprotocol that the relay echoes."""
TOKEN_PREFIX = "serial-console.token."  # noqa: S105 - where a token begins, not a token
"""The second subprotocol offered: this, then the session token. It is never echoed."""
MAX_TYPED_FRAME = 64 * 1024
MAX_TEXT_FRAME = 4 * 1024
_OFFSET_DIGITS = 18
"""Enough for an exabyte; more digits are somebody playing."""
_OFFSET = struct.Struct(">Q")


class InvalidFrame(ValueError):
    """A text frame that is not one of ours. The text names what is wrong, never the frame's content."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The writer's answer to a takeover request (`ask`)."""

    ask: str
    allow: bool


def printed(offset: int, data: bytes) -> bytes:
    """Makes a binary frame of printed bytes. The first of them is byte `offset` of the epoch."""
    return _OFFSET.pack(offset) + data


def text_frame(kind: str, /, **fields: Any) -> str:
    """Makes a text frame of type `kind`."""
    return json.dumps({"type": kind, **fields}, separators=(",", ":"), ensure_ascii=False)


def before(data: bytes) -> str:
    """Makes a text frame of bytes that were printed before the epoch. They have no offset in it."""
    return text_frame("before", data=base64.b64encode(data).decode("ascii"))


def read_text_frame(text: bytes) -> Answer:
    """Reads a text frame from the browser. Raises InvalidFrame."""
    if len(text) > MAX_TEXT_FRAME:
        raise InvalidFrame(f"a text frame is at most {MAX_TEXT_FRAME} bytes")
    try:
        frame = json.loads(text)
    except ValueError as error:
        raise InvalidFrame("a text frame must be a JSON object; typed bytes go into binary frames") from error
    match frame:
        case {"type": "answer", "ask": str(ask), "allow": bool(allow), **unknown} if not unknown:
            return Answer(ask, allow)
        case _:
            raise InvalidFrame(
                'the only text frame a browser sends is {"type":"answer","ask":"...","allow":true|false}'
            )


def read_resume(epoch: str | None, offset: str | None) -> tuple[str, int] | None:
    """Reads a resume point: the epoch that a browser knows and the next byte it lacks. Raises InvalidFrame."""
    if epoch is None and offset is None:
        return None
    if epoch is None or offset is None or not offset.isascii() or not offset.isdigit() or len(offset) > _OFFSET_DIGITS:
        raise InvalidFrame("to resume, give both epoch and offset; offset is a whole number of bytes")
    return epoch, int(offset)
