"""Route templates of HTTP triggers, and which of several that match is taken. Pure.

As ASP.NET's: literals match in any case; `{id}`, `{id:int}`, `{id?}`, `{id=5}`, `{*rest}`, and text around parameters
(`{name}.{ext}`). More literal segments win: precedence is compared segment by segment.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from urllib.parse import unquote

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")
"""What a trigger that names no methods accepts."""

PARAMETER = re.compile(r"\{(?P<star>\*{0,2})(?P<name>\w+)(?::(?P<constraint>[^}=?]+))?(?P<end>\?|=[^}]*)?\}")
CONSTRAINTS: dict[str, str] = {
    "int": r"-?\d+",
    "long": r"-?\d+",
    "bool": r"(?:true|false)",
    "guid": r"\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?",
    "alpha": r"[a-z]+",
    "required": r".+",
}


class Precedence(IntEnum):
    """How exact a segment is; the lower wins."""

    LITERAL = 1
    CONSTRAINED = 2
    PARAMETER = 3
    CATCH_ALL = 5


@dataclass(frozen=True)
class Route[T]:
    """A template compiled: what it matches, and the target it leads to."""

    methods: frozenset[str]
    pattern: re.Pattern[str]
    precedence: tuple[Precedence, ...]
    defaults: dict[str, str]
    target: T = field(compare=False)


def route[T](template: str, methods: Iterable[str] | None, target: T) -> Route[T]:
    """Compiles a template, prefix included, without its leading slash.

    Raises:
        ValueError: a constraint that this host does not know; ignoring it would answer requests that Azure refuses.

    """
    pattern, precedence = "", []
    defaults: dict[str, str] = {}
    for segment in filter(None, template.strip("/").split("/")):
        text, rank, more = _segment(segment)
        pattern += text
        precedence.append(rank)
        defaults |= more
    accepted = frozenset(method.upper() for method in methods or METHODS)
    return Route(accepted, re.compile(pattern + "/?", re.IGNORECASE | re.DOTALL), tuple(precedence), defaults, target)


def _segment(segment: str) -> tuple[str, Precedence, dict[str, str]]:
    """A segment's pattern with its leading slash, its precedence, and the default of its parameter."""
    whole = PARAMETER.fullmatch(segment)
    if whole and whole["star"]:
        return rf"(?:/(?P<{whole['name']}>.*))?", Precedence.CATCH_ALL, {}
    pattern, at = "", 0
    for part in PARAMETER.finditer(segment):
        pattern += re.escape(segment[at : part.start()]) + rf"(?P<{part['name']}>{_constraint(part['constraint'])})"
        at = part.end()
    pattern += re.escape(segment[at:])
    if whole and whole["end"]:
        default = {whole["name"]: whole["end"][1:]} if whole["end"] != "?" else {}
        return f"(?:/{pattern})?", _rank(segment, whole), default
    return f"/{pattern}", _rank(segment, whole), {}


def _rank(segment: str, whole: re.Match[str] | None) -> Precedence:
    if "{" not in segment:
        return Precedence.LITERAL
    return Precedence.PARAMETER if whole and not whole["constraint"] else Precedence.CONSTRAINED


def _constraint(name: str | None) -> str:
    if name is None:
        return "[^/]+?"
    try:
        return CONSTRAINTS[name.lower()]
    except KeyError:
        raise ValueError(f"route constraint {name!r} is not known here") from None


def in_order[T](routes: Iterable[Route[T]]) -> list[Route[T]]:
    """The routes as they are tried: most literal first, else as declared."""
    return sorted(routes, key=lambda made: made.precedence)


def find[T](routes: Iterable[Route[T]], method: str, raw_path: str) -> tuple[T, dict[str, str]] | None:
    """The first route that takes this request, and its parameters, percent-decoded once.

    `%2F` stays as it is, as in Kestrel: it is part of a value, never a separator. A method that no route takes is
    nobody's address, as in Azure: None.
    """
    path = _decoded(raw_path)
    for made in routes:
        if method in made.methods and (match := made.pattern.fullmatch(path)):
            given = {name: value for name, value in match.groupdict().items() if value is not None}
            return made.target, made.defaults | given
    return None


def _decoded(path: str) -> str:
    return "%".join(map(unquote, re.split(r"%(?=2[Ff])", path))) if "%" in path else path
