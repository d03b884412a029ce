"""Route templates as the host's router reads and matches them. Pure.

ASP.NET Core's template matcher (dotnet/aspnetcore, src/Http/Routing/src: TemplateMatcher, InlineRouteParameterParser),
which Microsoft.Azure.WebJobs.Extensions.Http 3.2.0 uses. Held against the real one by test_real_router.py.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dev.functions_host.route_constraints import Constraint, constraint

type Values = dict[str, str]
"""Parameters by name."""

PARTS = re.compile(r"\{(?P<parameter>(?:[^{}]|\{\{|\}\})+)\}|(?P<text>(?:[^{}]|\{\{|\}\})+)")
SEGMENT = re.compile(r"(?:\{(?:[^{}]|\{\{|\}\})*\}|[^/{}]|\{\{|\}\})+")
PARAMETER = re.compile(r"(?P<stars>\*{0,2})(?P<name>[^:=?*/]+)(?P<rest>.*)", re.DOTALL)
CONSTRAINT = re.compile(r":(?P<name>[^:(=]*)(?:\((?P<arguments>.*?)\)(?=[:=]|\Z))?", re.DOTALL)


class BadTemplate(ValueError):
    """A route template that the real router would not take either."""


@dataclass(frozen=True)
class Text:
    """Letters that stand for themselves, in any case."""

    text: str


@dataclass(frozen=True)
class Parameter:
    """`{name}`, `{name?}`, `{name=default}`, `{*name}`, `{name:constraint}`."""

    name: str
    constraints: tuple[Constraint, ...]
    default: str | None
    optional: bool
    takes_rest: bool

    def admits(self, value: str | None) -> bool:
        """Whether every constraint does. What is missing passes where it may be missing."""
        if value is None:
            return self.optional or not self.constraints
        return all(passes(value) for passes in self.constraints)


type Segment = tuple[Text | Parameter, ...]


@dataclass(frozen=True)
class Template:
    """What stands between the slashes of a route."""

    segments: tuple[Segment, ...]

    def match(self, path: str) -> Values | None:
        """The parameters of `path`, decoded and with its leading slash; None: it is none of this template's."""
        given = _segments(path)
        values = self._taken(given)
        if values is None or not all(_may_be_missing(segment) for segment in self.segments[len(given) :]):
            return None
        values = {p.name: p.default for p in self._parameters() if p.default is not None} | values
        return values if all(p.admits(values.get(p.name)) for p in self._parameters()) else None

    def _taken(self, given: list[tuple[str, str]]) -> Values | None:
        """What the segments that are there give."""
        values: Values = {}
        for at, (text, rest) in enumerate(given):
            if at == len(self.segments) or not text:
                return None
            match self.segments[at]:
                case (Parameter(takes_rest=True) as parameter,):
                    return values | {parameter.name: rest}
                case (Parameter() as parameter,):
                    values[parameter.name] = text
                case segment:
                    found = _match_parts(segment, text)
                    if found is None:
                        return None
                    values |= found
        return values

    def _parameters(self) -> Iterator[Parameter]:
        return (part for segment in self.segments for part in segment if isinstance(part, Parameter))


def parse(template: str) -> Template:
    """Reads a template, prefix included.

    Raises:
        BadTemplate: braces that do not pair, a parameter without a name, a `{*rest}` that is not the last.
        UnknownConstraint: see route_constraints.

    """
    segments = tuple(_segment(text, template) for text in _split(template.strip("/")))
    for segment in segments[:-1]:
        if any(isinstance(part, Parameter) and part.takes_rest for part in segment):
            raise BadTemplate(f"{template!r}: only the last segment may take the rest")
    return Template(segments)


def _split(template: str) -> list[str]:
    """The segments: slashes inside braces belong to a pattern."""
    segments = [found[0] for found in SEGMENT.finditer(template)]
    if "/".join(segments) != template:
        raise BadTemplate(f"{template!r}: braces that do not pair, or a segment with nothing in it")
    return segments


def _segment(text: str, template: str) -> Segment:
    parts: list[Text | Parameter] = []
    at = 0
    while at < len(text):
        found = PARTS.match(text, at)
        if found is None:
            raise BadTemplate(f"{template!r}: braces that do not pair")
        at = found.end()
        inside = found["parameter"]
        parts.append(_parameter(_single(inside), template) if inside else Text(_single(found["text"])))
    return tuple(parts)


def _single(text: str) -> str:
    """Braces that stand for themselves are written twice."""
    return text.replace("{{", "{").replace("}}", "}")


def _parameter(inside: str, template: str) -> Parameter:
    found = PARAMETER.fullmatch(inside)
    if found is None:
        raise BadTemplate(f"{template!r}: {inside!r} names no parameter")
    rest, constraints = found["rest"], []
    while named := CONSTRAINT.match(rest.removesuffix("?")):
        constraints.append(constraint(named["name"], named["arguments"]))
        rest = rest[named.end() :]
    if rest not in {"", "?"} and not rest.startswith("="):
        raise BadTemplate(f"{template!r}: {rest!r} is neither a default nor an end")
    default = rest[1:] if rest.startswith("=") else None
    return Parameter(found["name"], tuple(constraints), default, rest == "?", bool(found["stars"]))


def _segments(path: str) -> list[tuple[str, str]]:
    """Each segment, and the rest of the path from its begin. One trailing slash counts for nothing."""
    rest, found = path.removeprefix("/"), []
    while rest:
        text, _, after = rest.partition("/")
        found.append((text, rest))
        rest = after
    return found


def _may_be_missing(segment: Segment) -> bool:
    match segment:
        case (Parameter() as parameter,):
            return parameter.optional or parameter.takes_rest or parameter.default is not None
        case _:
            return False


def _match_parts(segment: Segment, text: str) -> Values | None:
    """A segment with text in it. `{a}.{b?}` may end before the dot."""
    match segment:
        case (*before, Text("."), Parameter(optional=True)):
            with_it = _from_the_right(segment, text)
            return with_it if with_it is not None or text.endswith(".") else _from_the_right(tuple(before), text)
        case _:
            return _from_the_right(segment, text)


def _from_the_right(segment: Segment, text: str) -> Values | None:
    """Each text is looked for once, from the right, and a parameter beside it takes one letter at least.

    So `v{a}` takes `v1` and not `vv1`: the real one does not look on.
    """
    folded, end = _fold(text), len(text)
    values: Values = {}
    waiting: Parameter | None = None
    for part in reversed(segment):
        if isinstance(part, Parameter):
            waiting = part
            continue
        wanted = _fold(part.text)
        at = folded.rfind(wanted, 0, max(0, end - (1 if waiting else 0)))
        if at < 0 or (waiting is None and at + len(wanted) != end):
            return None
        if waiting:
            values[waiting.name] = text[at + len(wanted) : end]
        waiting, end = None, at
    if waiting:
        return values | {waiting.name: text[:end]} if end else None
    return values if end == 0 else None


def _fold(text: str) -> str:
    """Letter by letter, as .NET compares without regard to case: no letter becomes two."""
    return "".join(upper if len(upper := letter.upper()) == 1 else letter for letter in text)
