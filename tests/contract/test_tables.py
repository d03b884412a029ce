"""Sessions and burnt tokens: the fakes and the real tables through the same tests."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from shared.access.policy import Scope
from shared.base.ports import Unavailable
from shared.base.tables import find_row, merge_unchanged, table_service
from shared.base.vm import Os, VmId
from shared.session.grant import Mode
from shared.session.ports import Session, Sessions, UsedTokens
from shared.session.tables.sessions import TableSessions
from shared.session.tables.used_tokens import TableUsedTokens
from tests.fakes import VM, FakeBurntTokens, FakeSessions

NOBODY: Any = None
"""No credential: the connection string has its own."""


@pytest.fixture(params=["fake", "table"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Sessions, UsedTokens]]:
    if request.param == "fake":
        yield FakeSessions(), FakeBurntTokens()
        return
    service = table_service(request.getfixturevalue("storage"), NOBODY)
    async with service:
        yield TableSessions(service), TableUsedTokens(service)


@pytest.fixture
def sessions(both: tuple[Sessions, UsedTokens]) -> Sessions:
    return both[0]


@pytest.fixture
def burnt(both: tuple[Sessions, UsedTokens]) -> UsedTokens:
    return both[1]


def session(name: str, **changes: Any) -> Session:
    usual: dict[str, Any] = {
        "subject": "t.o", "name": "Ada ♥", "mode": Mode.WRITE, "generation": 7, "requested_at": 1.25, "relay": "r0",
    }  # fmt: skip
    return Session(name, VM, **(usual | changes))


async def test_a_session_is_found_as_it_was_added(sessions: Sessions) -> None:
    mine = session("as-it-was", reason="boot loop", mode=Mode.WATCH, os=Os.WINDOWS)
    await sessions.add(mine)
    assert await sessions.find(VM, mine.id) == mine


async def test_a_session_is_found_by_any_spelling_of_its_vm(sessions: Sessions) -> None:
    await sessions.add(session("spelling"))
    assert await sessions.find(VmId.parse(VM.resource_id.upper()), "spelling") is not None


async def test_a_session_of_another_vm_is_not_found(sessions: Sessions) -> None:
    await sessions.add(session("elsewhere"))
    assert await sessions.find(replace(VM, name="web-02"), "elsewhere") is None
    assert await sessions.find(VM, "nowhere") is None


async def test_a_session_is_attached_then_ended(sessions: Sessions) -> None:
    await sessions.add(session("life"))
    await sessions.attached(VM, "life")
    assert (await sessions.find(VM, "life")) == session("life", state="attached")
    await sessions.ended(VM, "life", 9.5, "Goodbye")
    assert (await sessions.find(VM, "life")) == session("life", state="ended", ended_at=9.5, ended_by="Goodbye")


async def test_a_session_ends_once(sessions: Sessions) -> None:
    await sessions.add(session("once"))
    reasons = ["Goodbye", "IdleTimeout", "SessionEnded", "VmStopped"]
    await sessions.ended(VM, "once", 1.0, "First")
    await asyncio.gather(*(sessions.ended(VM, "once", 2.0, reason) for reason in reasons))
    found = await sessions.find(VM, "once")
    assert found is not None
    assert (found.ended_at, found.ended_by) == (1.0, "First")


async def test_ends_that_come_at_once_leave_one(sessions: Sessions) -> None:
    await sessions.add(session("race"))
    await asyncio.gather(*(sessions.ended(VM, "race", float(n), f"reason {n}") for n in range(4)))
    found = await sessions.find(VM, "race")
    assert found is not None
    assert found.ended_by == f"reason {found.ended_at:.0f}"


async def test_the_end_of_an_unknown_session_is_nothing(sessions: Sessions) -> None:
    await sessions.ended(VM, "never-there", 1.0, "Goodbye")
    assert await sessions.find(VM, "never-there") is None


async def test_a_token_burns_once_however_many_try(burnt: UsedTokens) -> None:
    tried = await asyncio.gather(*(burnt.burn("token-id", 130) for _ in range(8)))
    assert sorted(tried) == [False] * 7 + [True]
    assert await burnt.burn("another-id", 130)


async def test_tables_that_do_not_answer_are_unavailable() -> None:
    nowhere = (
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=YQ==;"
        "TableEndpoint=http://127.0.0.1:1/devstoreaccount1;"
    )
    async with table_service(nowhere, NOBODY) as service:
        with pytest.raises(Unavailable, match="storage tables"):
            await TableSessions(service).find(VM, "any")


async def test_an_accounts_name_is_its_public_address() -> None:
    class Credential:
        async def get_token(self, *_: str, **__: Any) -> Any:
            raise AssertionError("not asked here")

    credential: Any = Credential()
    async with table_service("stcontoso", credential) as service:
        assert service.url == "https://stcontoso.table.core.windows.net"
    async with table_service("stcontoso", credential, "core.usgovcloudapi.net") as service:
        assert service.url == "https://stcontoso.table.core.usgovcloudapi.net"


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        ("/", {"here", "beside", "group", "elsewhere"}),
        (f"/subscriptions/{VM.subscription}", {"here", "beside", "group"}),
        (f"/subscriptions/{VM.subscription}/resourceGroups/{VM.group}", {"here", "beside"}),
        (VM.resource_id, {"here"}),
    ],
)
async def test_live_sessions_are_found_within_a_scope(sessions: Sessions, scope: str, found: set[str]) -> None:
    """Names that only begin alike are other scopes."""
    other = "5b5c0000-0000-4000-8000-00000000000f"
    places = {
        "here": VM,
        "beside": replace(VM, name=f"{VM.name}0"),
        "group": replace(VM, group=f"{VM.group}2"),
        "elsewhere": replace(VM, subscription=other),
    }
    run = uuid.uuid4().hex
    for name, at in places.items():
        await sessions.add(replace(session(f"{name}-{run}", requested_at=100.0), vm=at))
        await sessions.add(replace(session(f"old-{name}-{run}", requested_at=10.0), vm=at))
        await sessions.add(replace(session(f"over-{name}-{run}", requested_at=100.0), vm=at))
        await sessions.ended(at, f"over-{name}-{run}", 101.0, "Goodbye")
    live = await sessions.live(Scope.parse(scope), 50.0)
    assert {each.id for each in live if each.id.endswith(run)} == {f"{name}-{run}" for name in found}
    assert all(each.vm.console == places[each.id.partition("-")[0]].console for each in live if each.id.endswith(run))


async def test_a_row_that_was_written_or_removed_since_it_was_read_is_not_merged_into(storage: str) -> None:
    """Upkeep removes old rows while others are about to write into them."""
    async with table_service(storage, NOBODY) as service:
        table = await service.create_table_if_not_exists("merged")
        await table.upsert_entity({"PartitionKey": "p", "RowKey": "r", "State": "read"})
        row = await find_row(table, "p", "r")
        assert await merge_unchanged(table, row, {"State": "first"})
        assert not await merge_unchanged(table, row, {"State": "late"})
        row = await find_row(table, "p", "r")
        assert row["State"] == "first"
        await table.delete_entity("p", "r")
        assert not await merge_unchanged(table, row, {"State": "gone"})
        assert await find_row(table, "p", "r") is None
