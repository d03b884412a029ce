"""Requests for approval as rows."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from shared.access.approval import GOOD_SECONDS, WAITS_SECONDS, Approval, State, decided
from shared.access.rights import Right
from shared.access.tables.approvals import TableApprovals
from shared.base.ports import Unavailable
from shared.base.tables import table_service
from shared.base.vm import VmId
from tests.fakes import NOW, VM, FakeClock

NOBODY: Any = None
"""No credential: the connection string has its own."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def approvals(storage: str, clock: FakeClock) -> AsyncIterator[TableApprovals]:
    async with table_service(storage, NOBODY) as service:
        yield TableApprovals(service, clock)


def asked(subject: str = "t.ada", at: float = NOW) -> Approval:
    name = uuid.uuid4().hex
    return Approval(name, VM, Right.WRITE, subject, "Ada ♥", "disk 'full'", at, at + 600, good_seconds=600)


def settled(approval: Approval, *, allow: bool = True, by: str = "t.grace") -> Approval:
    return decided(approval, allow=allow, subject=by, name="Grace", comment="go", now=NOW + 5)


async def test_a_request_is_found_as_it_was_asked(approvals: TableApprovals) -> None:
    mine = asked()
    await approvals.add(mine)
    assert await approvals.find(VmId.parse(VM.resource_id.upper()), mine.id) == mine
    assert await approvals.find(replace(VM, name="other"), mine.id) is None
    assert await approvals.find(VM, "unknown") is None


async def test_ones_own_requests_that_may_still_count_come_newest_first(approvals: TableApprovals) -> None:
    """One may wait for a day, and its yes be good for another."""
    who = f"t.{uuid.uuid4()}"
    made = [asked(who, NOW - seconds) for seconds in (10, 0, WAITS_SECONDS + GOOD_SECONDS)]
    for each in (*made, asked("t.other")):
        await approvals.add(each)
    assert await approvals.of(VM, who) == [made[1], made[0]]


async def test_those_that_wait_are_listed_oldest_first(approvals: TableApprovals, clock: FakeClock) -> None:
    late, early, over = asked(at=NOW), asked(at=NOW - 100), asked(at=NOW - 600)
    for each in (late, early, over):
        await approvals.add(each)
    listed = [each for each in await approvals.pending() if each.id in {late.id, early.id, over.id}]
    assert listed == [early, late]
    await approvals.settle(settled(early))
    clock.time += 600
    assert not {early.id, late.id} & {each.id for each in await approvals.pending()}


async def test_a_decision_is_kept(approvals: TableApprovals) -> None:
    mine = asked()
    await approvals.add(mine)
    yes = settled(mine)
    assert await approvals.settle(yes) == yes
    assert await approvals.find(VM, mine.id) == yes


async def test_the_first_decision_holds(approvals: TableApprovals) -> None:
    mine = asked()
    await approvals.add(mine)
    rivals = [settled(mine, allow=number % 2 == 0, by=f"t.{number}") for number in range(8)]
    answers = await asyncio.gather(*(approvals.settle(rival) for rival in rivals))
    assert len({answer.decided_by for answer in answers}) == 1
    assert await approvals.find(VM, mine.id) == answers[0]


async def test_an_end_that_comes_late_changes_nothing(approvals: TableApprovals) -> None:
    mine = asked()
    await approvals.add(mine)
    yes = await approvals.settle(settled(mine))
    assert await approvals.settle(replace(mine, state=State.EXPIRED)) == yes


async def test_what_was_never_asked_cannot_be_decided(approvals: TableApprovals) -> None:
    with pytest.raises(Unavailable, match="not there"):
        await approvals.settle(settled(asked()))
