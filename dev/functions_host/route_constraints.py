"""Constraints of route parameters, `{id:guid}`. Pure.

As Microsoft.AspNetCore.Routing.Constraints reads them (dotnet/aspnetcore, src/Http/Routing/src/Constraints): numbers
and GUIDs with white space around them pass, and a pattern is looked for anywhere in the value, in any case.
"""

import re
import sys
from collections.abc import Callable
from uuid import UUID

type Constraint = Callable[[str], bool]
"""Whether a value may stand there."""

INT, LONG = range(-(2**31), 2**31), range(-(2**63), 2**63)
BLANKS = " \t\n\v\f\r"
"""White space that .NET's numbers may be surrounded by."""
NUMBER = re.compile(rf"[{BLANKS}]*[+-]?[0-9]+[{BLANKS}]*\0*")
HEX = "[0-9a-fA-F]"
DASHED = f"{HEX}{{8}}(?:-{HEX}{{4}}){{3}}-{HEX}{{12}}"
GUID = re.compile(rf"{HEX}{{32}}|{DASHED}|\{{{DASHED}\}}|\({DASHED}\)")
DOTNET = (("\\\\", "\\\\"), (r"\Z", r"(?=\n?\Z)"), (r"\z", r"\Z"), ("(?<", "(?P<"))
"""What .NET's patterns spell otherwise than Python's."""


class UnknownConstraint(ValueError):
    """A constraint that this host does not know; to ignore it would answer requests that Azure refuses."""


def constraint(name: str, arguments: str | None) -> Constraint:
    """The constraint `name(arguments)`.

    Raises:
        UnknownConstraint: there is none of that name here, or its arguments are no numbers or no pattern.

    """
    try:
        if name == "regex" and arguments is not None:
            pattern = re.compile(_python(arguments), re.IGNORECASE)
            return lambda value: pattern.search(value) is not None
        numbers = tuple(int(number) for number in arguments.split(",")) if arguments else ()
        return SIMPLE[name] if not numbers else _bounded(name, numbers)
    except (KeyError, ValueError, re.error) as error:
        raise UnknownConstraint(f"route constraint {name!r} with {arguments!r} is not known here: {error}") from None


def _bounded(name: str, numbers: tuple[int, ...]) -> Constraint:
    """A constraint between numbers: of the value itself, or of how long it is."""
    low, high = {
        ("length", 1): (numbers[0], numbers[0]),
        ("length", 2): (numbers[0], numbers[-1]),
        ("minlength", 1): (numbers[0], sys.maxsize),
        ("maxlength", 1): (0, numbers[0]),
        ("range", 2): (numbers[0], numbers[-1]),
        ("min", 1): (numbers[0], LONG[-1]),
        ("max", 1): (LONG[0], numbers[0]),
    }[name, len(numbers)]
    if "length" in name:
        return lambda value: low <= len(value) <= high
    return lambda value: _is_number(value, LONG) and low <= int(value.rstrip("\0")) <= high


def _is_number(value: str, of: range) -> bool:
    return NUMBER.fullmatch(value) is not None and int(value.rstrip("\0")) in of


def _is_guid(value: str) -> bool:
    text = value.strip()
    return GUID.fullmatch(text) is not None and bool(UUID(text.strip("{}()")))


def _is_file(value: str) -> bool:
    """Tells if a dot of the last segment has something other than dots after it (FileNameRouteConstraint)."""
    return value.rpartition("/")[2].partition(".")[2].strip(".") != ""


def _python(pattern: str) -> str:
    """A .NET pattern in Python's spelling."""
    told = dict(DOTNET)
    return re.sub(r"\\\\|\\[Zz]|\(\?<(?![=!])", lambda match: told[match[0]], pattern)


SIMPLE: dict[str, Constraint] = {
    "int": lambda value: _is_number(value, INT),
    "long": lambda value: _is_number(value, LONG),
    "bool": lambda value: value.strip(BLANKS + "\0").lower() in {"true", "false"},
    "guid": _is_guid,
    "alpha": lambda value: re.search(r"^[a-z]*$", value, re.IGNORECASE) is not None,
    "required": lambda value: value != "",
    "file": _is_file,
    "nonfile": lambda value: not _is_file(value),
}
