"""Writes that were done although the storage said that they timed out: the SDK sends them again, and they count once.

Azurite never answers so (docs/fidelity.md, "Storage"); the proxy does.
"""

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from azure.data.tables.aio import TableServiceClient

from dev.storage.trouble import SERVER_BUSY, TIMED_OUT, Trouble
from shared.access.policy import Policy, Scope, Switch
from shared.access.rate_limit import RateLimit
from shared.access.tables.approvals import TableApprovals
from shared.access.tables.policies import TablePolicies
from shared.access.tables.rate_limits import TableRateLimits
from shared.base.tables import table_service
from shared.session.tables.sessions import TableSessions
from shared.session.tables.used_tokens import TableUsedTokens
from shared.transcript.ports import Hold, Read
from shared.transcript.recordings import Indexed
from shared.transcript.tables.holds import TableHolds
from shared.transcript.tables.index import TableIndex
from shared.transcript.tables.reads import TableReads
from tests.contract.strict_storage import Strict, strict_storage
from tests.contract.test_table_approvals import asked, settled
from tests.contract.test_tables import session
from tests.fakes import NOW, VM, FakeClock

NOBODY: Any = None
"""No credential: the connection string has its own."""
pytestmark = pytest.mark.parametrize(("answer", "done"), [(TIMED_OUT, True), (TIMED_OUT, False), (SERVER_BUSY, False)])
type Answer = tuple[int, str, str]


@pytest.fixture
def strict(account: str, answer: Answer, *, done: bool) -> Iterator[Strict]:
    with strict_storage(account) as made:
        made.proxy.trouble = Trouble(answer, done=done)
        yield made


@pytest.fixture
async def service(strict: Strict) -> AsyncIterator[TableServiceClient]:
    async with table_service(strict.connection, NOBODY) as made:
        yield made


@pytest.fixture
def key() -> str:
    return uuid.uuid4().hex


def once(strict: Strict, method: str, table: str) -> None:
    """The next request of this kind meets it."""
    strict.proxy.trouble.words, strict.proxy.trouble.times = f"{method} /devstoreaccount1/{table}", 1


def met(strict: Strict) -> bool:
    return len(strict.proxy.trouble.met) == 1


async def test_a_token_burns_for_who_burnt_it(strict: Strict, service: TableServiceClient, key: str) -> None:
    tokens = TableUsedTokens(service)
    once(strict, "POST", "burnttokens")
    assert await tokens.burn(key, int(NOW))
    assert met(strict)
    assert not await tokens.burn(key, int(NOW))


@pytest.mark.parametrize("table", ["sessions", "livesessions"])
async def test_a_session_is_added_and_ended(strict: Strict, service: TableServiceClient, key: str, table: str) -> None:
    sessions, vm = TableSessions(service), replace(VM, name=f"web-{key[:8]}")
    once(strict, "POST" if table == "sessions" else "PATCH", table)
    await sessions.add(replace(session(key), vm=vm))
    assert met(strict)
    strict.proxy.trouble.met.clear()
    once(strict, "PATCH" if table == "sessions" else "DELETE", table)
    await sessions.ended(vm, key, 2.0, "Goodbye")
    assert met(strict)
    found = await sessions.find(vm, key)
    assert found is not None
    assert (found.ended_at, found.ended_by) == (2.0, "Goodbye")
    assert await sessions.live(Scope.of_vm(vm), 0.0) == []


async def test_a_read_is_on_record_once(strict: Strict, service: TableServiceClient, key: str) -> None:
    reads, read = TableReads(service), Read(NOW, "t.ada", "Ada", "raw")
    once(strict, "POST", "reads")
    await reads.add(f"/{key}", read)
    assert met(strict)
    assert await reads.newest(f"/{key}", 9) == [read]


async def test_a_request_for_approval_is_asked_and_decided(
    strict: Strict, service: TableServiceClient, answer: Answer
) -> None:
    approvals, mine = TableApprovals(service, FakeClock()), asked()
    once(strict, "POST", "approvals")
    await approvals.add(mine)
    assert met(strict)
    strict.proxy.trouble = Trouble(answer, done=strict.proxy.trouble.done)
    once(strict, "PATCH", "approvals")
    yes = settled(mine)
    assert await approvals.settle(yes) == yes
    assert met(strict)
    assert await approvals.find(VM, mine.id) == yes


@pytest.mark.parametrize("version", [None, ""])
async def test_a_policy_is_set_by_who_set_it(
    strict: Strict, service: TableServiceClient, key: str, version: str | None
) -> None:
    policies, scope = TablePolicies(service, (), FakeClock()), Scope.of_vm(replace(VM, name=f"web-{key[:8]}"))
    once(strict, "P", "policies") if version is None else once(strict, "POST", "policies")
    strict.proxy.trouble.words = "policies" if version is None else strict.proxy.trouble.words
    first = await policies.set(scope, Policy(console=Switch.OFF), "t.ada", NOW, version=version)
    assert met(strict)
    assert first is not None
    strict.proxy.trouble.met.clear()
    once(strict, "PUT", "policies")
    second = await policies.set(scope, Policy(), "t.ada", NOW + 1, version=first.version)
    assert met(strict)
    assert second is not None
    assert await policies.set(scope, Policy(), "t.grace", NOW + 2, version=first.version) is None


async def test_a_hold_and_a_row_of_the_index_are_as_they_were_put(
    strict: Strict, service: TableServiceClient, key: str
) -> None:
    holds, index = TableHolds(service), TableIndex(service)
    once(strict, "PUT", "holds")
    await holds.place(f"/{key}", Hold("Ada", 5.0, "case 12"))
    assert met(strict)
    assert await holds.find(f"/{key}") == Hold("Ada", 5.0, "case 12")
    strict.proxy.trouble.met.clear()
    once(strict, "PUT", "segments")
    await index.put(f"/{key}", Indexed(3))
    assert met(strict)
    assert await index.rows(f"/{key}") == [Indexed(3)]


async def test_a_rate_limit_lets_pass_and_counts_twice_at_most(
    strict: Strict, service: TableServiceClient, key: str
) -> None:
    limit = TableRateLimits(service, FakeClock())
    once(strict, "POST", "paces")
    assert await limit.take(key, RateLimit(60, 3)) == 0
    assert met(strict)
    waits = [await limit.take(key, RateLimit(60, 3)) for _ in range(3)]
    assert waits in ([0, 0, 1], [0, 1, 1])
