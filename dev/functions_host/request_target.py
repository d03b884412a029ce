"""What the host makes of a request's address: the path for its router, the URL and the query for the function. Pure.

Kestrel decodes a path once, all but `%2F`, and resolves dot segments after that (dotnet/aspnetcore, UrlDecoder and
PathNormalizer); the URL that a function is told is written anew from the decoded path (PathString.ToUriComponent).
Query fields are told as in Azure/azure-functions-host, GrpcMessageConversionExtensions: none without a value, repeated
ones as one.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from dev.functions_host.http_head import Refused

CODES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
CODE_OR_LETTER = re.compile(r"%[0-9A-Fa-f]{2}|.", re.DOTALL)
IN_PATHS = "!$&'()*+,;=:@/-._~"
"""Stands in a path as it is, beside letters, digits and codes."""


@dataclass(frozen=True)
class Target:
    """An address taken apart."""

    path: str
    """Decoded, without dot segments."""
    query_string: str
    """As it was sent, with its question mark, or empty."""

    @property
    def told(self) -> str:
        """Path and query as a function is told them. What was `%2520` looks like an encoded blank here."""
        return _encoded(self.path) + self.query_string

    @property
    def query(self) -> dict[str, str]:
        """The fields that are told: under the name that came first, whatever the case of the others."""
        joined: dict[str, list[str]] = {}
        names: dict[str, str] = {}
        for field in filter(None, self.query_string[1:].split("&")):
            name, _, value = (decoded(part.replace("+", " "), keep="") for part in field.partition("="))
            joined.setdefault(names.setdefault(name.lower(), name), []).append(value)
        return {name: ",".join(values) for name, values in joined.items() if any(values) or len(values) > 1}


def target(sent: str) -> Target:
    """Takes an address apart.

    Raises:
        Refused: it holds a NUL, or climbs out of the root.

    """
    path, mark, query = sent.partition("?")
    path = decoded(path, keep="/")
    if "\0" in path:
        raise Refused(400)
    return Target(_without_dots(path), mark + query)


def decoded(text: str, keep: str) -> str:
    """Codes of UTF-8 decoded; what is none stays, and so does the code of a letter in `keep`."""
    return CODES.sub(lambda run: _run(run[0], keep), text)


def _run(codes: str, keep: str) -> str:
    raw = bytes.fromhex(codes.replace("%", ""))
    done, at = "", 0
    while at < len(raw):
        size = _size(raw, at)
        letter = raw[at : at + size].decode() if size else ""
        size = size or 1
        done += letter if letter and letter not in keep else codes[at * 3 : (at + size) * 3]
        at += size
    return done


def _size(raw: bytes, at: int) -> int:
    """Bytes of the letter that begins there; 0 where none does."""
    for size in range(1, 5):
        try:
            if len(raw[at : at + size].decode()) == 1:
                return size
        except UnicodeDecodeError:
            continue
    return 0


def _without_dots(path: str) -> str:
    """Dot segments resolved; what climbs above the root stays there."""
    if "." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for at, segment in enumerate(segments):
        if segment not in {".", ".."}:
            kept.append(segment)
            continue
        if segment == ".." and kept:
            kept.pop()
        if at == len(segments) - 1:
            kept.append("")
    return "/" + "/".join(kept)


def _encoded(path: str) -> str:
    """The path as it would be sent. A per cent sign before two digits counts as a code that is there already."""
    return CODE_OR_LETTER.sub(lambda part: part[0] if len(part[0]) > 1 else quote(part[0], IN_PATHS), path)
