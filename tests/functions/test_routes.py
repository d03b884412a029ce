"""Each address leads to its own function, in whatever order the host asks them.

The host asks functions in the order of their names, case ignored, and the first whose template and method match is
called, however exact the others are (Azure/azure-webjobs-sdk-extensions `WebJobsRouteBuilder`,
Azure/azure-functions-host issues 3153, 6062 and 9876). So no two may match the same method of the same address.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.dev.functions_host.real_router import real_router
from tests.functions.test_the_app import HTTP, trigger
from tests.host_parts import needs_host_parts

BLANK = re.compile(r"\{\w+\}")


@dataclass(frozen=True)
class Address:
    name: str
    methods: frozenset[str]
    segments: tuple[str, ...]

    def meets(self, other: "Address") -> bool:
        """Whether there is an address that both match."""
        return len(self.segments) == len(other.segments) and all(
            BLANK.fullmatch(mine) or BLANK.fullmatch(its) or mine.lower() == its.lower()
            for mine, its in zip(self.segments, other.segments, strict=True)
        )


def address(name: str, methods: list[str], route: str) -> Address:
    return Address(name, frozenset(methods), tuple(route.split("/")))


def methods_of(name: str) -> list[str]:
    return [str(each) for each in trigger(name)["methods"]]


ADDRESSES = [address(name, methods_of(name), HTTP[name][1]) for name in HTTP]


def told(addresses: list[Address]) -> list[dict[str, Any]]:
    """As the router is filled."""
    return [
        {"name": each.name, "route": "/".join(each.segments), "methods": sorted(each.methods)} for each in addresses
    ]


def shared(addresses: list[Address]) -> list[tuple[str, str, str]]:
    """Two functions and a method that both would answer."""
    return [
        (one.name, other.name, method)
        for one, other in combinations(addresses, 2)
        for method in sorted(one.methods & other.methods)
        if one.meets(other)
    ]


def test_no_two_functions_take_the_same_method_of_one_address() -> None:
    assert shared(ADDRESSES) == []


def test_an_address_is_words_and_whole_blanks() -> None:
    """What `meets` understands: no `{*rest}`, no `{id?}`, no `{name}.json`."""
    for each in ADDRESSES:
        assert not [part for part in each.segments if "{" in part and not BLANK.fullmatch(part)], each.name


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("vms/{name}", "VMS/list", True), ("vms/{name}", "vms/{id}", True), ("{kind}/x", "vms/{name}", True),
        ("vms/{name}", "vms/{name}/x", False), ("vms/{name}/x", "vms/{name}/y", False),
    ],
)  # fmt: skip
def test_what_meets(one: str, other: str, meet: bool) -> None:  # noqa: FBT001 - a column of the table
    both = [address("a", ["GET", "PUT"], one), address("b", ["GET", "POST"], other)]
    assert shared(both) == ([("a", "b", "GET")] if meet else [])


def test_a_preflight_is_answered_once_at_each_address_that_pages_call() -> None:
    answered = Counter(HTTP[name][1] for name in HTTP if "OPTIONS" in methods_of(name))
    assert answered == Counter({route for _, route in HTTP.values() if not route.startswith("relay/")})


def test_a_function_names_its_methods() -> None:
    """One that names none takes all of them."""
    assert all(methods_of(name) for name in HTTP)


@needs_host_parts
def test_the_hosts_own_router_finds_each_function(tmp_path: Path) -> None:
    with real_router(tmp_path, told(ADDRESSES)) as router:
        for each in ADDRESSES:
            for filled in filled_in(each):
                for method in each.methods:
                    found = router.find(method, f"/api/{filled}")
                    assert found, filled
                    assert found[0] == each.name, filled


@needs_host_parts
def test_the_hosts_own_router_would_show_a_hidden_function(tmp_path: Path) -> None:
    """What finds nothing wrong above can find something wrong."""
    hidden = [*ADDRESSES, address("a_first", ["GET"], "{anything}")]
    with real_router(tmp_path, told(hidden)) as router:
        found = router.find("GET", "/api/health")
        assert found
        assert found[0] == "a_first"


LITERALS = sorted({part for each in ADDRESSES for part in each.segments if not BLANK.fullmatch(part)})


def filled_in(each: Address) -> Iterator[str]:
    """The address with values for its blanks: plain ones, and each word of our addresses as one of them and as all."""
    text = "/".join(each.segments)
    blanks = BLANK.findall(text)
    yield BLANK.sub("value", text)
    for word in LITERALS if blanks else ():
        yield BLANK.sub(word, text)
        for blank in blanks:
            yield BLANK.sub("value", text.replace(blank, word))
