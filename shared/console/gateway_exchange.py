"""The messages between a serial gateway and a client before bytes flow.

    CURRENT     gateway: its banner         client: the token, once, as a text frame
    ADDRESS     client: the token in the address; frames are the VM's from the first one on

Sources: Azure/azure-cli-extensions, src/serial-console: CURRENT since 1.0.0b1 (pull request 7653), ADDRESS up to 0.1.6;
microsoft/azserialconsole issue 116 for the banner and for the close "not trusted".

A third flow was published for some months (0.1.7 and 0.1.8: in the address with new=1, again as the socket opens, again
after the first frame). It is not spoken here: a token that is sent before the gateway has spoken is typed into the VM,
echoed and recorded, where the address was proof enough. Gateways of that time served ADDRESS too: their clients were
not all new.
"""

import re
from dataclasses import replace
from enum import Enum, auto
from urllib.parse import quote

from shared.base.refusals import Code, Refusal, refuse

BANNER_BYTES = 512
"""More than this is no banner but what a VM prints: a gateway that shows it does not wait for a token."""
_BANNER = "connecting"
_NOT_TRUSTED = "not trusted"
_ANOTHER = ("another connection", "another user", "displaced", "superseded")
_BUSY_SECONDS = 15
_LONGEST = 300
"""The most characters of Azure's words that are handed on."""
_ADDRESS = re.compile(r"\b\w+://\S*")
_REFUSALS = {
    "another connection is currently in progress": Code.EXTERNAL_TAKEOVER,
    "provisioning for this vm has not yet succeeded": Code.VM_PROVISIONING,
    "requires a virtual machine to be running": Code.VM_NOT_RUNNING,
    "did not respond in a timely manner": Code.GATEWAY_TIMEOUT,
    "existing console has conflicting os type": Code.OS_TYPE_CONFLICT,
}
"""Parts of published sentences (MicrosoftDocs/SupportArticles-docs, serial-console-errors.md; the preview's page)."""


class Flow(Enum):
    CURRENT = auto()
    ADDRESS = auto()

    def address(self, gateway: str, token: str) -> str:
        """Returns the address to connect to."""
        return gateway if self is Flow.CURRENT else f"{gateway}?authorization={quote(token, safe='')}"


class Move(Enum):
    """The reaction to a frame."""

    WAIT = auto()
    SEND = auto()
    """The token, now."""
    SHOW = auto()
    """The port is open, and this is what the VM prints."""
    STOP = auto()
    """Refused, or not the gateway that the flow is for: nothing more is sent."""


class _ExchangePhase(Enum):
    SPEAKING = auto()
    """The gateway speaks first."""
    SETTLING = auto()
    """The token went; a refusal may still come."""
    OPEN = auto()


class Exchange:
    """One attempt in one flow. It takes every frame until the port is open."""

    __slots__ = ("_message", "_phase", "flow")

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self._phase = _ExchangePhase.SPEAKING if flow is Flow.CURRENT else _ExchangePhase.SETTLING
        self._message = bytearray()

    @property
    def token_sent(self) -> bool:
        """In a frame, as the gateway asked."""
        return self.flow is Flow.CURRENT and self._phase is not _ExchangePhase.SPEAKING

    @property
    def pending_output(self) -> bytes:
        """Bytes that came after the token and are not shown yet: output if the port stays open, the refusal if the
        gateway closes.
        """
        return bytes(self._message) if self._phase is _ExchangePhase.SETTLING else b""

    def receive(self, payload: bytes, *, final: bool) -> tuple[Move, bytes]:
        """Takes a frame; `final` ends its message. Returns the reaction, with bytes to show or, at STOP, the message.

        The token is sent once, and only after one message of the gateway's own.
        """
        self._message += payload
        if self._phase is _ExchangePhase.SETTLING:
            return self._after_the_token()
        if len(self._message) > BANNER_BYTES:
            return Move.STOP, bytes(self._message)
        return self._banner() if final else (Move.WAIT, b"")

    def _banner(self) -> tuple[Move, bytes]:
        message = bytes(self._message)
        if find_refusal(_text(message)) is not None:
            return Move.STOP, message
        self._phase = _ExchangePhase.SETTLING
        self._message.clear()
        return Move.SEND, b""

    def _after_the_token(self) -> tuple[Move, bytes]:
        """Waits after a refusal's sentence: the VM may print such words. It is a refusal if a close follows."""
        message = bytes(self._message)
        if self.flow is Flow.ADDRESS and is_banner(message):
            return Move.STOP, message
        if len(message) <= BANNER_BYTES and find_refusal(_text(message)) is not None:
            return Move.WAIT, b""
        self._phase = _ExchangePhase.OPEN
        return Move.SHOW, message


def find_refusal(text: str, target: str | None = None) -> Refusal | None:
    """Returns the refusal that a gateway's sentence stands for; None for any other text."""
    lower = text.lower()
    code = next((code for sign, code in _REFUSALS.items() if sign in lower), None)
    if code is Code.EXTERNAL_TAKEOVER:  # a connection of our own that broke may be the one in progress: dial on
        return replace(refuse(code, because=harmless(text), target=target), retry_after=_BUSY_SECONDS)
    return None if code is None else refuse(code, target=target)


def harmless(text: str) -> str:
    """Returns Azure's words on one line, without addresses (they may hold keys) and control characters."""
    words = " ".join(_ADDRESS.sub("(address)", text).split())
    return "".join(letter for letter in words if letter.isprintable())[:_LONGEST]


def is_banner(message: bytes) -> bool:
    """Returns True if this message is from a gateway that waits for a token."""
    return len(message) <= BANNER_BYTES and _BANNER in _text(message).lower()


def distrusts(text: str) -> bool:
    """Returns True if a gateway closes because it had no token that it trusts."""
    return _NOT_TRUSTED in text.lower()


def names_another(text: str) -> bool:
    """Returns True if a gateway's close reason says that somebody else connected."""
    return any(sign in text.lower() for sign in _ANOTHER)


def _text(message: bytes) -> str:
    return message[:BANNER_BYTES].decode(errors="replace")
