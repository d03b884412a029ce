"""Policies: the fake and the real table through the same tests."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from shared.access.policy import TENANT, Level, Policy, Scope, Switch, scopes_of
from shared.access.ports import Policies
from shared.access.tables.policies import FRESH_SECONDS, TablePolicies
from shared.base.ports import Dependency, Unavailable
from shared.base.tables import Table, table_service
from shared.base.vm import VmId
from tests.fakes import NOW, VM, FakeClock, FakePolicies

NOBODY: Any = None
"""No credential: the connection string has its own."""
ONE = Scope.of_vm(VM)


@pytest.fixture
async def table(storage: str) -> AsyncIterator[TablePolicies]:
    async with table_service(storage, NOBODY) as service:
        made = TablePolicies(service, (), FakeClock())
        for scope in scopes_of(VM):
            await made.clear(Scope.parse(scope))
        yield made


@pytest.fixture(params=["fake", "table"])
def policies(request: pytest.FixtureRequest) -> Policies:
    if request.param == "fake":
        return FakePolicies()
    made: TablePolicies = request.getfixturevalue("table")
    return made


async def test_a_policy_is_found_as_it_was_set(policies: Policies) -> None:
    wanted = Policy(console=Switch.OFF, tickets=("INC-*",), tags={"a ♥": ("b",)})
    stored = await policies.set(ONE, wanted, "t.ada", NOW, version=None)
    assert stored is not None
    assert (stored.policy, stored.set_by, stored.set_at) == (wanted, "t.ada", NOW)
    assert await policies.find(Scope.parse(VM.resource_id.upper())) == stored
    assert await policies.over(VM) == [Level(ONE.text, wanted)]


async def test_policies_hold_from_the_tenant_down(policies: Policies) -> None:
    for scope in reversed(scopes_of(VM)):
        await policies.set(Scope.parse(scope), Policy(reason=True), "t.ada", NOW, version=None)
    assert [level.scope for level in await policies.over(VM)] == list(scopes_of(VM))
    elsewhere = VmId("5b5c0000-0000-4000-8000-0000000000ff", "rg", "x")
    assert [level.scope for level in await policies.over(elsewhere)] == [TENANT]


async def test_nobody_writes_over_what_they_have_not_seen(policies: Policies) -> None:
    first = await policies.set(ONE, Policy(), "t.ada", NOW, version="")
    assert first is not None
    assert await policies.set(ONE, Policy(), "t.ada", NOW, version="") is None
    second = await policies.set(ONE, Policy(reason=True), "t.ada", NOW, version=first.version)
    assert second is not None
    assert await policies.set(ONE, Policy(), "t.ada", NOW, version=first.version) is None
    assert await policies.find(ONE) == second


async def test_a_version_of_nothing_fits_nothing(policies: Policies) -> None:
    first = await policies.set(ONE, Policy(), "t.ada", NOW, version=None)
    assert first is not None
    await policies.clear(ONE)
    await policies.clear(ONE)
    assert await policies.find(ONE) is None
    assert await policies.over(VM) == []
    assert await policies.set(ONE, Policy(), "t.ada", NOW, version=first.version) is None


async def test_the_settings_hold_beside_what_was_set(storage: str, table: TablePolicies) -> None:
    fixed = (Level(TENANT, Policy(reason=True)), Level("/subscriptions/other", Policy()))
    async with table_service(storage, NOBODY) as service:
        both = TablePolicies(service, fixed, FakeClock())
        await both.set(Scope.parse(TENANT), Policy(console=Switch.OFF), "t.ada", NOW, version=None)
        assert await both.over(VM) == [fixed[0], Level(TENANT, Policy(console=Switch.OFF))]


async def test_what_another_process_sets_holds_within_two_seconds(storage: str, table: TablePolicies) -> None:
    clock = FakeClock()
    async with table_service(storage, NOBODY) as service:
        other = TablePolicies(service, (), clock)
        assert await other.over(VM) == []
        await table.set(ONE, Policy(console=Switch.OFF), "t.ada", NOW, version=None)
        assert await other.over(VM) == []
        clock.time += FRESH_SECONDS
        assert await other.over(VM) == [Level(ONE.text, Policy(console=Switch.OFF))]


async def test_hundreds_of_consoles_are_one_question(table: TablePolicies, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    read = table._read

    async def counted() -> Any:
        reads.append(1)
        return await read()

    monkeypatch.setattr(table, "_read", counted)
    await asyncio.gather(*(table.over(VM) for _ in range(200)))
    assert len(reads) == 1


async def test_a_change_is_not_undone_by_a_reading_that_began_before_it(
    table: TablePolicies, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, gate = table._read, asyncio.Event()

    async def slow() -> Any:
        found = await read()
        await gate.wait()
        return found

    monkeypatch.setattr(table, "_read", slow)
    early = asyncio.create_task(table.over(VM))
    await asyncio.sleep(0)
    await table.set(ONE, Policy(console=Switch.OFF), "t.ada", NOW, version=None)
    gate.set()
    await early
    assert await table.over(VM) == [Level(ONE.text, Policy(console=Switch.OFF))]


async def test_a_table_that_is_away_costs_everybody_one_wait(
    table: TablePolicies, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def away() -> Any:
        asked.append(1)
        await asyncio.sleep(0.05)
        raise Unavailable(Dependency.STORAGE_TABLES, "away")

    monkeypatch.setattr(table, "_read", away)
    answers = await asyncio.gather(*(table.over(VM) for _ in range(50)), return_exceptions=True)
    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert len(asked) == 1


async def test_a_policy_that_cannot_be_read_lets_nobody_in(storage: str, table: TablePolicies) -> None:
    async with table_service(storage, NOBODY) as service, Table(service, "policies").open() as rows:
        row = {"PartitionKey": "policy", "RowKey": ONE.text.replace("/", "|"), "SetBy": "x", "SetAt": NOW}
        await rows.create_entity(row | {"Policy": json.dumps({"of the future": 1})})
    with pytest.raises(Unavailable, match=VM.name):
        await table.over(VM)
    with pytest.raises(Unavailable, match=VM.name):
        await table.find(ONE)
    assert await table.over(replace(VM, name="other")) == [], "nobody else is shut out by it"


async def test_a_table_that_does_not_answer_lets_nobody_in() -> None:
    nowhere = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=eA==;TableEndpoint=http://127.0.0.1:1/a;"
    async with table_service(nowhere, NOBODY) as service:
        with pytest.raises(Unavailable, match="storage tables"):
            await TablePolicies(service, (), FakeClock()).over(VM)


async def test_vms_to_be_recorded_all_the_time_are_found(policies: Policies) -> None:
    assert await policies.captured() == []
    await policies.set(ONE, Policy(capture=True), "t.ada", NOW, version=None)
    await policies.set(Scope.parse(TENANT), Policy(reason=True), "t.ada", NOW, version=None)
    assert [vm.console for vm in await policies.captured()] == [VM.console]


async def test_those_of_the_settings_are_among_them_once(storage: str) -> None:
    async with table_service(storage, NOBODY) as service:
        made = TablePolicies(service, [Level(ONE.text, Policy(capture=True))], FakeClock())
        await made.set(ONE, Policy(capture=True), "t.ada", NOW, version=None)
        assert [vm.console for vm in await made.captured()] == [VM.console]
        await made.clear(ONE)
