"""Who reads which partition, when hosts come, end and are killed."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev.functions_host.balancer import Balancer
from dev.functions_host.events import Partition
from dev.functions_host.ownership import NOBODY, Ownership, in_force, may_take
from tests.dev.functions_host.fakes import FakeOwnerships

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FOUR = [Partition("namespace", "records", "$Default", str(number)) for number in range(4)]
EXPIRY = 120


def owned(**owners: str) -> list[Ownership]:
    return [Ownership(name.removeprefix("p"), owner, NOW, "e") for name, owner in owners.items()]


async def look_until_balanced(*hosts: Balancer) -> None:
    for _ in range(50):
        for host in hosts:
            await host.look()
        if all(host.is_balanced for host in hosts):
            return
    pytest.fail("it is never balanced")


def held(host: Balancer) -> set[str]:
    return {each.id for each in host.held}


def long_ago(ownerships: FakeOwnerships, seconds: float) -> None:
    """As if nothing had been renewed for so long."""
    for name, each in ownerships.by_partition.items():
        ownerships.by_partition[name] = replace(each, modified=each.modified - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("held_now", "candidates"),
    [
        ([], ["0", "1", "2", "3"]),
        (owned(p0="me", p1="me", p2="me"), ["3"]),
        (owned(p0="me", p1="me", p2="me", p3="me"), []),
        (owned(p0="a", p1="a", p2="a", p3="a"), ["0", "1", "2", "3"]),
        (owned(p0="me", p1="a", p2="a", p3="a"), ["1", "2", "3"]),
        (owned(p0="me", p1="me", p2="a", p3="a"), []),
        (owned(p0="me", p1="me", p2="a"), []),  # the other is to take it
        (owned(p0="me", p1="a", p2="a", p3="b"), []),  # nothing would be evener
        (owned(p0="a", p1="a", p2="b", p3="b"), ["0", "1", "2", "3"]),
    ],
)
def test_a_host_takes_what_is_free_then_from_who_has_more(held_now: list[Ownership], candidates: list[str]) -> None:
    assert may_take(["0", "1", "2", "3"], held_now, "me") == candidates


def test_what_is_given_back_or_not_renewed_is_in_force_no_more() -> None:
    given_back, old, young = owned(p0=NOBODY, p1="a", p2="b")
    old = replace(old, modified=NOW - timedelta(seconds=EXPIRY))
    young = replace(young, modified=NOW - timedelta(seconds=EXPIRY - 1))
    assert in_force([given_back, old, young], NOW, EXPIRY) == [young]


async def test_one_host_takes_all_and_a_second_one_half_of_them() -> None:
    ownerships = FakeOwnerships()
    first, second = Balancer(FOUR, ownerships, EXPIRY), Balancer(FOUR, ownerships, EXPIRY)
    await look_until_balanced(first)
    assert held(first) == {"0", "1", "2", "3"}
    await look_until_balanced(second, first)
    assert len(held(first)) == len(held(second)) == 2
    assert not held(first) & held(second)


async def test_of_a_killed_host_half_is_taken_at_once_and_half_when_it_expires() -> None:
    ownerships = FakeOwnerships()
    await look_until_balanced(Balancer(FOUR, ownerships, EXPIRY))
    after = Balancer(FOUR, ownerships, EXPIRY)
    await look_until_balanced(after)
    assert len(held(after)) == 2
    long_ago(ownerships, EXPIRY)
    await look_until_balanced(after)
    assert held(after) == {"0", "1", "2", "3"}


async def test_what_a_host_gives_back_is_taken_at_once() -> None:
    ownerships = FakeOwnerships()
    before, after = Balancer(FOUR, ownerships, EXPIRY), Balancer(FOUR, ownerships, EXPIRY)
    await look_until_balanced(before)
    await before.give_back()
    assert not before.held
    await look_until_balanced(after)
    assert held(after) == {"0", "1", "2", "3"}


async def test_a_partition_that_a_passing_reader_took_is_found_again() -> None:
    host = Balancer(FOUR, FakeOwnerships(), EXPIRY)
    await look_until_balanced(host)
    host.lose(FOUR[2])
    assert held(host) == {"0", "1", "3"}
    await host.look()
    assert held(host) == {"0", "1", "2", "3"}


async def test_who_was_robbed_notices_when_it_renews() -> None:
    ownerships = FakeOwnerships()
    host = Balancer(FOUR, ownerships, EXPIRY)
    await look_until_balanced(host)
    await ownerships.claim(FOUR[1], "another", ownerships.by_partition["1"].etag)
    await host.look()
    assert "1" not in held(host)


@given(
    st.integers(1, 9), st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["start", "stop", "kill", "expire"])))
)
def test_whoever_comes_and_goes_every_partition_is_read_by_one_host_in_the_end(
    count: int, steps: Sequence[tuple[str, str]]
) -> None:
    async def run() -> None:
        partitions = [replace(FOUR[0], id=str(number)) for number in range(count)]
        ownerships = FakeOwnerships()
        hosts = {"x": Balancer(partitions, ownerships, EXPIRY)}
        for name, what in steps:
            if what == "expire":
                long_ago(ownerships, EXPIRY)
            elif what == "start":
                hosts.setdefault(name, Balancer(partitions, ownerships, EXPIRY))
            elif (gone := hosts.pop(name, None)) and what == "stop":
                await gone.give_back()
            for host in hosts.values():
                await host.look()
        for _ in range(2 * count):  # the killed ones expire, the others renew
            for host in hosts.values():
                await host.look()
        long_ago(ownerships, EXPIRY)
        await look_until_balanced(*hosts.values())
        times = Counter(name for host in hosts.values() for name in held(host))
        assert times == {each.id: 1 for each in partitions}
        shares = [len(held(host)) for host in hosts.values()]
        assert max(shares) - min(shares) <= 1

    asyncio.run(run())
