"""Reads settings from the environment. A setting has a name, a meaning, a unit and a default.

The settings stand in `shared.settings` and in the packages that use them. Nothing else reads the environment.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self


class InvalidSetting(Exception):
    """A setting is missing or not readable. The text names it and says what it should be, never its value."""


def setting(
    name: str,
    meaning: str,
    default: str | None = None,
    *,
    read: Callable[[str], Any] = str,
    also: str = "",
    least: int = 0,
) -> Any:
    """Declares a dataclass field that is read from the environment variable `name`.

    `also` is a second name, the spelling that a Functions binding demands. A setting without a default must be set.
    `read` converts the text, and raises ValueError for a text that it cannot read. A number must be `least` or more.
    """
    return field(
        metadata={"name": name, "meaning": meaning, "default": default, "also": also, "read": read, "least": least}
    )


def words(text: str) -> tuple[str, ...]:
    """Splits at commas and white space."""
    return tuple(text.replace(",", " ").split())


def on_or_off(text: str) -> bool:
    """Reads a switch. Raises ValueError."""
    if text.lower() not in ("on", "off"):
        raise ValueError("write on or off")
    return text.lower() == "on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Some settings, read together."""

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Reads every setting. Raises InvalidSetting for the first that is missing or wrong."""
        variables = os.environ if environment is None else environment
        return cls(**{f.name: _value(f.metadata, variables) for f in fields(cls)})


def names(of: type[Settings]) -> dict[str, tuple[str, str | None]]:
    """Lists every setting's name with its meaning and its default (None: must be set)."""
    return {f.metadata["name"]: (f.metadata["meaning"], f.metadata["default"]) for f in fields(of)}


def _value(declared: Mapping[str, Any], variables: Mapping[str, str]) -> Any:
    name, meaning = declared["name"], declared["meaning"]
    text = variables.get(name) or variables.get(declared["also"]) or declared["default"]
    if text is None:
        raise InvalidSetting(f"{name} is not set: {meaning}")
    try:
        value = declared["read"](text)
    except ValueError as error:
        raise InvalidSetting(f"{name} cannot be read ({meaning}): {error}") from error
    if declared["read"] is int and value < declared["least"]:
        raise InvalidSetting(f"{name} cannot be read ({meaning}): write {declared['least']} or more")
    return value
