"""An answer, and its bytes: as Kestrel writes what the host answers.

Seen on the real host (4.1037): whatever has a body is chunked, without a length; 204, 205 and 304 lose theirs.
"""

from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus

from dev.functions_host.http_head import Head

PHRASES = {status.value: status.phrase for status in HTTPStatus} | {
    413: "Payload Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 418: "I'm a teapot",
    422: "Unprocessable Entity", 499: "Client Closed Request",
}  # fmt: skip
"""dotnet/aspnetcore, ReasonPhrases; a status that is none of them goes without words."""
NO_BODY = {204, 205, 304}
SERVER = "Kestrel"

type Headers = list[tuple[str, str]]


@dataclass
class Answer:
    """What the client gets. `body` None: a length of 0 is said, nothing else."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes | None = None
    is_whole: bool = False
    """Said with its length, as the host's own pages are."""

    def names(self) -> set[str]:
        """The headers' names, in lower case."""
        return {name.lower() for name, _ in self.headers}

    def add_missing(self, headers: dict[str, str]) -> None:
        """Adds the headers that are not there."""
        there = self.names()
        self.headers += [(name, value) for name, value in headers.items() if name.lower() not in there]

    def ends(self, head: Head) -> bool:
        """Whether the connection ends with it; also where it was said to be chunks, and is none."""
        said = {(name.lower(), value.lower()) for name, value in self.headers}
        return head.is_last or ("connection", "close") in said or "transfer-encoding" in self.names()


def encoded(answer: Answer, head: Head | None) -> bytes:
    """The bytes of the answer to `head`; None answers what was no request."""
    ends = head is None or answer.ends(head)
    body, framing = _framed(answer, head)
    own = [*framing, ("Date", formatdate(usegmt=True)), ("Server", SERVER)]
    if ends and not {"connection", "transfer-encoding"} & answer.names():
        own.append(("Connection", "close"))
    said = [(name, value) for name, value in answer.headers if name.lower() not in {"server", "date", "content-length"}]
    lines = [f"HTTP/1.1 {answer.status} {PHRASES.get(answer.status, '')}", *(f"{n}: {v}" for n, v in [*said, *own])]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def _framed(answer: Answer, head: Head | None) -> tuple[bytes, Headers]:
    """The body as it goes out, and the headers that say how."""
    is_head, is_old = (head.method == "HEAD", head.is_old) if head else (False, False)
    if answer.status in NO_BODY or is_head:
        return b"", [("Content-Length", "0")] if answer.status == 205 and not is_head else []
    if answer.body is None:
        return b"", [("Content-Length", "0")]
    if answer.is_whole:
        return answer.body, [("Content-Length", str(len(answer.body)))]
    if is_old:
        return answer.body, []
    if "transfer-encoding" in answer.names():
        return answer.body, []  # sent as it is: no client can read it as the chunks that it was said to be
    chunk = b"%x\r\n%b\r\n" % (len(answer.body), answer.body) if answer.body else b""
    return chunk + b"0\r\n\r\n", [("Transfer-Encoding", "chunked")]
