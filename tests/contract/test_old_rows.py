"""Rows that go by their age, on real tables whose pages end early."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from azure.data.tables.aio import TableServiceClient

from dev.storage.trouble import SERVER_BUSY, Pages, Trouble
from shared.access.approval import State
from shared.access.policy import Scope
from shared.access.rate_limit import RateLimit
from shared.access.tables.approvals import TableApprovals
from shared.access.tables.rate_limits import TableRateLimits
from shared.base.ports import Unavailable
from shared.base.tables import Table, table_service
from shared.session.tables.sessions import LIVE, TableSessions
from shared.session.tables.used_tokens import TableUsedTokens
from shared.transcript.flows.remove_old_rows import remove_old_rows
from shared.transcript.old_rows import DAY, Ages, Rows, limits
from shared.transcript.ports import Read
from shared.transcript.tables.old_rows import TABLE, TableOldRows
from shared.transcript.tables.reads import TableReads
from tests.contract.strict_storage import Strict, strict_storage
from tests.contract.test_table_approvals import asked, settled
from tests.contract.test_tables import session
from tests.fakes import NOW, VM, FakeClock

NOBODY: Any = None
"""No credential: the connection string has its own."""
AGES = Ages(28_800, 30, 400)
LATER = NOW + 500 * DAY


@pytest.fixture
def strict(account: str) -> Any:
    with strict_storage(account) as made:
        yield made


@pytest.fixture
async def service(strict: Strict) -> AsyncIterator[TableServiceClient]:
    async with table_service(strict.connection, NOBODY) as made:
        yield made


@pytest.fixture
def rows(service: TableServiceClient) -> TableOldRows:
    return TableOldRows(service)


async def everything(rows: TableOldRows, kind: Rows, before: float) -> int:
    """One whole pass, from its first page."""
    count, last = 0, False
    while not last:
        page = await rows.remove(kind, before)
        count, last = count + page.count, page.last
    return count


async def test_tokens_go_an_hour_after_their_end_and_not_before(
    service: TableServiceClient, rows: TableOldRows
) -> None:
    burnt, run = TableUsedTokens(service), uuid.uuid4().hex
    old, new = [f"{number:02x}{run}" for number in range(9)], f"ff{run}"
    for token in old:
        assert await burnt.burn(token, int(NOW) - 3601)
    assert await burnt.burn(new, int(NOW) - 3599)
    assert await everything(rows, Rows.USED_TOKENS, limits(AGES, NOW)[Rows.USED_TOKENS]) >= len(old)
    assert await burnt.burn(old[0], int(NOW))
    assert not await burnt.burn(new, int(NOW))


async def test_a_partition_with_more_rows_than_a_transaction_takes_goes_whole(
    strict: Strict, service: TableServiceClient, rows: TableOldRows
) -> None:
    strict.proxy.pages = Pages(1000)
    reads, console = TableReads(service), f"/subscriptions/{uuid.uuid4()}"
    at = NOW - 401 * DAY
    await asyncio.gather(*(reads.add(console, Read(at, "t.ada", "Ada", str(number))) for number in range(230)))
    await reads.add(console, Read(NOW - 399 * DAY, "t.ada", "Ada", "new"))
    assert await everything(rows, Rows.READS, limits(AGES, NOW)[Rows.READS]) >= 230
    assert [read.what for read in await reads.newest(console, 999)] == ["new"]


async def test_a_rate_limit_that_is_over_is_none_also_for_who_remembers_it(
    service: TableServiceClient, rows: TableOldRows
) -> None:
    clock, key, pace = FakeClock(), f"caller {uuid.uuid4()}", RateLimit(60, 1)
    limit = TableRateLimits(service, clock)
    assert await limit.take(key, pace) == 0
    assert await limit.take(key, pace) > 0
    clock.time += 7200
    await everything(rows, Rows.RATE_LIMITS, limits(AGES, clock.time)[Rows.RATE_LIMITS])
    assert await limit.take(key, pace) == 0
    assert await limit.take(key, pace) > 0


async def test_approvals_go_when_nobody_may_ask_for_them_any_more(
    service: TableServiceClient, rows: TableOldRows
) -> None:
    clock = FakeClock()
    approvals = TableApprovals(service, clock)
    waits, decided, old = asked(), asked(), asked(at=NOW - 33 * DAY)
    for each in (waits, decided, old):
        await approvals.add(each)
    await approvals.settle(settled(decided))
    for kind in (Rows.WAITING_APPROVALS, Rows.APPROVALS):
        await everything(rows, kind, limits(AGES, NOW)[kind])
    assert waits.id in {each.id for each in await approvals.pending()}
    found = await approvals.find(VM, decided.id)
    assert found is not None
    assert found.state is State.APPROVED
    assert await approvals.find(VM, old.id) is None


async def test_sessions_go_after_their_time_and_the_list_of_the_living_before(
    service: TableServiceClient, rows: TableOldRows
) -> None:
    sessions, run = TableSessions(service), uuid.uuid4().hex
    at = {"lives": NOW - 3600, "left": NOW - 10 * 3600, "old": NOW - 31 * DAY}
    for name, when in at.items():
        await sessions.add(replace(session(f"{name}-{run}"), requested_at=when))
    for kind in (Rows.LIVE_SESSIONS, Rows.SESSIONS):
        await everything(rows, kind, limits(AGES, NOW)[kind])
    live = {each.id for each in await sessions.live(Scope.parse("/"), 0.0) if each.id.endswith(run)}
    assert live == {f"lives-{run}"}
    found = [await sessions.find(VM, f"{name}-{run}") for name in at]
    assert [each and each.id.partition("-")[0] for each in found] == ["lives", "left", None]


async def test_whoever_ends_between_two_pages_is_followed_and_a_page_may_be_cleared_twice_at_once(
    service: TableServiceClient,
) -> None:
    burnt, run = TableUsedTokens(service), uuid.uuid4().hex
    for number in range(20):
        await burnt.burn(f"aa{number:02}{run}", int(NOW) - 9000)
    await TableOldRows(service).remove(Rows.USED_TOKENS, NOW)  # and is never heard of again
    pages = await asyncio.gather(*(TableOldRows(service).remove(Rows.USED_TOKENS, NOW) for _ in range(4)))
    assert not all(page.last for page in pages)
    await everything(TableOldRows(service), Rows.USED_TOKENS, NOW)
    await everything(TableOldRows(service), Rows.USED_TOKENS, NOW)
    assert [await burnt.burn(f"aa{number:02}{run}", int(NOW)) for number in range(20)] == [True] * 20


async def test_a_row_that_is_written_to_after_it_was_read_stays(
    strict: Strict, service: TableServiceClient, rows: TableOldRows
) -> None:
    clock, pace = FakeClock(), RateLimit(60, 1)
    limit, keys = TableRateLimits(service, clock), [f"caller {uuid.uuid4()}" for _ in range(2)]
    for key in keys:
        await limit.take(key, pace)
    clock.time += 7200
    strict.proxy.trouble = Trouble(SERVER_BUSY, "POST /devstoreaccount1/$batch", times=9)
    with pytest.raises(Unavailable):
        await everything(rows, Rows.RATE_LIMITS, clock.time - 3600)
    await limit.take(keys[0], pace)
    strict.proxy.trouble = Trouble()
    await everything(rows, Rows.RATE_LIMITS, clock.time - 3600)
    assert await TableRateLimits(service, clock).take(keys[0], pace) > 0


async def test_a_continuation_that_the_storage_refuses_begins_the_pass_anew(
    strict: Strict, service: TableServiceClient, rows: TableOldRows
) -> None:
    await TableUsedTokens(service).burn(uuid.uuid4().hex, int(NOW) - 9000)
    assert not (await rows.remove(Rows.USED_TOKENS, NOW)).last
    strict.proxy.trouble = Trouble((400, "InvalidInput", "no"), "NextPartitionKey", times=1)
    with pytest.raises(Unavailable):
        await rows.remove(Rows.USED_TOKENS, NOW)
    await everything(rows, Rows.USED_TOKENS, NOW)
    async with Table(service, TABLE).open() as table:
        assert [row["RowKey"] async for row in table.list_entities() if row["RowKey"] == Rows.USED_TOKENS] == []


async def test_a_pass_that_a_clock_ahead_began_takes_no_row_that_is_young_by_now(
    service: TableServiceClient, rows: TableOldRows
) -> None:
    burnt, run = TableUsedTokens(service), uuid.uuid4().hex
    tokens = [f"{number:02x}{run}" for number in range(9)]
    for token in tokens:
        await burnt.burn(token, int(NOW))
    assert not (await rows.remove(Rows.USED_TOKENS, NOW + DAY)).last
    await everything(rows, Rows.USED_TOKENS, NOW - DAY)
    assert [await burnt.burn(token, int(NOW)) for token in tokens] == [False] * 9


async def test_a_run_over_all_kinds_leaves_nothing_that_is_old(
    strict: Strict, service: TableServiceClient, rows: TableOldRows
) -> None:
    strict.proxy.pages = Pages(1000)
    await remove_old_rows(rows, FakeClock(NOW), limits(AGES, NOW))  # a pass that somebody began ends by its own limit
    done = await remove_old_rows(rows, FakeClock(LATER), limits(AGES, LATER))
    assert done.left == set()
    assert sum((await remove_old_rows(rows, FakeClock(LATER), limits(AGES, LATER))).removed.values()) == 0


async def test_who_looks_for_live_sessions_reads_the_living_only(strict: Strict, service: TableServiceClient) -> None:
    sessions, run = TableSessions(service), uuid.uuid4().hex
    vm = replace(VM, name=f"web-{run[:8]}")
    for number in range(12):
        await sessions.add(replace(session(f"over-{number}-{run}", requested_at=NOW), vm=vm))
        await sessions.ended(vm, f"over-{number}-{run}", NOW + 1, "Goodbye")
    await sessions.add(replace(session(f"lives-{run}", requested_at=NOW), vm=vm))
    strict.proxy.seen.clear()
    assert [each.id for each in await sessions.live(Scope.of_vm(vm), 0.0)] == [f"lives-{run}"]
    read = [each for each in strict.proxy.seen if each.startswith("GET")]
    assert len([each for each in read if f"/{LIVE}()" in each]) == 2  # the page of none, and that of one row
    assert len([each for each in read if "/sessions(" in each]) == 1


async def test_a_row_of_the_living_that_a_crash_left_is_mended_when_it_is_met(
    strict: Strict, service: TableServiceClient
) -> None:
    sessions, run = TableSessions(service), uuid.uuid4().hex
    vm = replace(VM, name=f"web-{run[:8]}")
    await sessions.add(replace(session(run, requested_at=NOW), vm=vm))
    strict.proxy.trouble = Trouble(SERVER_BUSY, f"DELETE /devstoreaccount1/{LIVE}", times=9)
    await sessions.ended(vm, run, NOW, "Goodbye")
    assert strict.proxy.trouble.met
    strict.proxy.trouble = Trouble()
    assert await sessions.live(Scope.of_vm(vm), 0.0) == []
    async with Table(service, LIVE).open() as table:
        assert [row["RowKey"] async for row in table.list_entities() if row["RowKey"] == run] == []
