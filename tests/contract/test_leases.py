"""Relays' leases and notices: the fakes and the real tables through the same tests."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.base.refusals import Code
from shared.base.tables import Table, table_service
from shared.session.lock import Lease
from shared.session.ports import Leases, Notice, Notices
from shared.session.tables.leases import COLUMN_BYTES, TableLeases
from shared.session.tables.notices import TABLE, TableNotices
from tests.fakes import FakeLeases, FakeNotices

NOBODY: Any = None
"""No credential: the connection string has its own."""


@pytest.fixture(params=["fake", "table"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Leases, Notices]]:
    if request.param == "fake":
        yield FakeLeases(), FakeNotices()
        return
    async with table_service(request.getfixturevalue("storage"), NOBODY) as service:
        yield TableLeases(service), TableNotices(service)


@pytest.fixture
def leases(both: tuple[Leases, Notices]) -> Leases:
    return both[0]


@pytest.fixture
def notices(both: tuple[Leases, Notices]) -> Notices:
    return both[1]


@pytest.fixture
def relay() -> str:
    return f"r-{uuid.uuid4()}"


async def test_the_last_heartbeat_counts(leases: Leases, relay: str) -> None:
    assert await leases.of(relay) is None
    many = frozenset(f"{number:022}" for number in range(COLUMN_BYTES // 23 * 2))
    for lease in (Lease(1.5, many), Lease(2.5, frozenset({"a", "b"})), Lease(3.5, frozenset())):
        await leases.renew(relay, lease)
        assert await leases.of(relay) == lease
    assert await leases.of(f"{relay}0") is None


async def test_a_notice_stands_until_it_is_dropped(notices: Notices, relay: str) -> None:
    first = Notice("s1", Code.SESSION_SUPERSEDED, "Grace \N{SNOWMAN}", 1.5)
    second = Notice("s2", Code.SESSION_ENDED, "", 2.5)
    for notice in (first, second):
        await notices.add(relay, notice)
    assert sorted(await notices.of(relay), key=lambda each: each.session) == [first, second]
    assert await notices.of(f"{relay}0") == []
    await notices.drop(relay, ["s1", "never there"])
    assert await notices.of(relay) == [second]


async def test_of_one_session_the_last_notice_counts(notices: Notices, relay: str) -> None:
    for by in ("Ada", "Grace"):
        await notices.add(relay, Notice("s", Code.SESSION_SUPERSEDED, by, 1.0))
    (only,) = await notices.of(relay)
    assert only.by == "Grace"


async def test_a_reason_of_a_newer_function_app_ends_the_session_as_well(storage: str, relay: str) -> None:
    row = {"PartitionKey": relay, "RowKey": "s", "Code": "NewerThanThis", "By": "Ada", "At": 1.0}
    async with table_service(storage, NOBODY) as service:
        notices = TableNotices(service)
        assert await notices.of(relay) == []
        async with Table(service, TABLE).open() as table:
            await table.upsert_entity(row)
        assert await notices.of(relay) == [Notice("s", Code.SESSION_ENDED, "Ada", 1.0)]
