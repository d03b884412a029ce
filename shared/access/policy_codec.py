"""Converts a policy to and from the JSON of the API and of the settings. Reading is strict."""

import json
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from ipaddress import ip_network
from typing import Any

from shared.access.mask_pattern import InvalidPattern, check_pattern
from shared.access.policy import InvalidScope, Level, Network, Policy, Scope, Switch, Typing, region_name
from shared.access.rights import Right

_CONTEXT = re.compile(r"c([1-9][0-9]?)", re.ASCII)
_REGION = re.compile(r"[a-z0-9]+", re.ASCII)
_LISTED = 64
"""Entries of a list, at most."""
_LONG = 128
"""Characters of an entry, at most."""
_PATTERNS = 32
_MINUTE, _DAY = 60, 86400


class InvalidPolicy(ValueError):
    """A policy that cannot be read. The text names the field and the values that it takes."""


def policy_from_json(document: object) -> Policy:
    """Reads a policy from parsed JSON. Raises InvalidPolicy."""
    if not isinstance(document, dict):
        raise InvalidPolicy("a policy is a JSON object")
    fields: dict[str, object] = document
    if (unknown := min(fields.keys() - _READERS.keys(), default=None)) is not None:
        raise InvalidPolicy(f"a policy has no field {unknown[:80]!r}; there are {', '.join(_READERS)}")
    return Policy(**{_NAMES.get(name, name): _READERS[name](name, value) for name, value in fields.items()})


def policy_to_json(policy: Policy) -> dict[str, Any]:
    """Returns every field, in the order of the documentation."""
    return {
        "console": policy.console.value,
        "reason": policy.reason,
        "tickets": list(policy.tickets),
        "networks": [str(network) for network in policy.networks],
        "tags": {name: list(values) for name, values in policy.tags.items()},
        "regions": list(policy.regions),
        "signIn": {right.value: context for right, context in policy.sign_in.items()},
        "approval": sorted(policy.approval),
        "approvalSeconds": policy.approval_seconds,
        "typed": policy.typed.value,
        "mask": list(policy.mask),
        "capture": policy.capture,
    }


def levels_from_text(text: str) -> tuple[Level, ...]:
    """Reads the setting's policies by scope: `{"/": {...}, "/subscriptions/...": {...}}`. Raises InvalidPolicy."""
    try:
        document = json.loads(text) if text else {}
    except ValueError as error:
        raise InvalidPolicy("not JSON") from error
    if not isinstance(document, dict):
        raise InvalidPolicy("write a JSON object: scopes and their policies")
    try:
        return tuple(_level(Scope.parse(scope), policy_from_json(policy)) for scope, policy in document.items())
    except InvalidScope as error:
        raise InvalidPolicy(str(error)) from error


def _level(scope: Scope, policy: Policy) -> Level:
    check_scope(scope, policy)
    return Level(scope.text, policy)


def check_scope(scope: Scope, policy: Policy) -> None:
    """Raises InvalidPolicy for a field that has no meaning at this scope."""
    if policy.capture and scope.vm is None:
        raise InvalidPolicy("capture is set for one VM at a time: it holds a connection of its own for each")


def _switch(name: str, value: object) -> Switch:
    return _choice(name, value, Switch)


def _typed(name: str, value: object) -> Typing:
    return _choice(name, value, Typing)


def _patterns(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _PATTERNS or not all(isinstance(each, str) for each in value):
        raise InvalidPolicy(f"{name} must be a list of at most {_PATTERNS} patterns")
    for number, pattern in enumerate(value, 1):
        try:
            check_pattern(pattern)
        except InvalidPattern as error:
            raise InvalidPolicy(f"pattern {number} of {name} is not taken: {error}") from error
    return tuple(value)


def _choice[E: StrEnum](name: str, value: object, choices: type[E]) -> E:
    if not isinstance(value, str) or value not in choices:
        raise InvalidPolicy(f"{name} must be one of {', '.join(choices)}")
    return choices(value)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidPolicy(f"{name} must be true or false")
    return value


def _texts(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _LISTED:
        raise InvalidPolicy(f"{name} must be a list of at most {_LISTED} texts")
    if any(not isinstance(each, str) or not each.strip() or len(each) > _LONG for each in value):
        raise InvalidPolicy(f"{name} takes texts of 1 to {_LONG} characters")
    return tuple(value)


def _tickets(name: str, value: object) -> tuple[str, ...]:
    patterns = _texts(name, value)
    if any(letter.isspace() or letter == "[" for pattern in patterns for letter in pattern):
        raise InvalidPolicy(f"{name} takes patterns for one word, with * and ?: INC-*")
    return patterns


def _networks(name: str, value: object) -> tuple[Network, ...]:
    texts = _texts(name, value)
    try:
        # What follows a percent sign is a zone of one machine, and no network.
        return tuple(ip_network(text.replace("%", "no zone")) for text in texts)
    except ValueError as error:
        raise InvalidPolicy(f"{name} takes addresses and networks like 10.0.0.0/8 or 2001:db8::/32") from error


def _tags(name: str, value: object) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(value, dict) or len(value) > _LISTED:
        raise InvalidPolicy(f"{name} must be an object: a tag's name and the list of its values")
    return {tag: _texts(f"{name}.{tag[:40]}", values) for tag, values in value.items()}


def _regions(name: str, value: object) -> tuple[str, ...]:
    regions = tuple(region_name(region) for region in _texts(name, value))
    if not all(_REGION.fullmatch(region) for region in regions):
        raise InvalidPolicy(f"{name} takes names of regions: westeurope")
    return regions


def _sign_in(name: str, value: object) -> Mapping[Right, str]:
    if not isinstance(value, dict):
        raise InvalidPolicy(f"{name} must be an object: a right and the authentication context that it demands")
    if any(not isinstance(context, str) or not _CONTEXT.fullmatch(context) for context in value.values()):
        raise InvalidPolicy(f"{name} takes the authentication contexts c1 to c99")
    return {_choice(f"a right of {name}", right, Right): context for right, context in value.items()}


def _rights(name: str, value: object) -> frozenset[Right]:
    allowed = (Right.WATCH, Right.WRITE, Right.POWER, Right.NMI)
    rights = {_choice(name, each, Right) for each in _texts(name, value)}
    if not rights <= set(allowed):
        raise InvalidPolicy(f"{name} takes {', '.join(allowed)}")
    return frozenset(rights)


def _seconds(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not _MINUTE <= value <= _DAY:
        raise InvalidPolicy(f"{name} must be a whole number of seconds from {_MINUTE} to {_DAY}")
    return value


_READERS: Mapping[str, Callable[[str, object], Any]] = {
    "console": _switch,
    "reason": _flag,
    "tickets": _tickets,
    "networks": _networks,
    "tags": _tags,
    "regions": _regions,
    "signIn": _sign_in,
    "approval": _rights,
    "approvalSeconds": _seconds,
    "typed": _typed,
    "mask": _patterns,
    "capture": _flag,
}
_NAMES = {"signIn": "sign_in", "approvalSeconds": "approval_seconds"}
