"""What a request may wait for Azure Resource Manager in all, however many questions it asks one after another."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from dev.arm.faults import Fault
from dev.demo import AUTOMATION, GRACE, OTHER_SUBSCRIPTION, SUBSCRIPTION
from shared.access.azure import power
from shared.access.azure.constraints import ArmConstraints
from shared.access.commands import Command
from shared.access.rights import DEFAULT, Right, on_vm
from shared.base import time_limit
from shared.base.in_time import in_time
from shared.base.ports import Dependency, Trouble, Unavailable
from shared.base.time_limit import TimeLimit
from shared.base.ttl_cache import TtlCache
from tests.contract.arm import Arm, application, vm
from tests.contract.test_arm_failing import FOR_EVER
from tests.dev.local_azure import LocalAzure
from tests.fakes import FakeClock

WEB = vm("web-01")
WRITE = on_vm(DEFAULT, Right.WRITE, WEB)
LIMIT, EACH = 6.0, 2.1


@pytest.fixture
def request_begins() -> Iterator[Callable[..., None]]:
    """A request whose time begins with its next question."""
    before = time_limit.current.get()
    yield lambda seconds=LIMIT: time_limit.current.set(TimeLimit(seconds)) and None
    time_limit.current.set(before)


def questions(arm: Arm) -> list[Callable[[], Awaitable[Any]]]:
    """Each of them is done in time where Azure takes EACH over every call."""
    user = arm.user(GRACE)
    return [
        lambda: arm.vms.find(user, WEB),
        lambda: arm.around.of(WEB),
        lambda: arm.rights.missing(user, WEB.resource_id, WRITE),
        lambda: arm.around.remains(WEB),
        lambda: arm.shared.around.of(WEB),
        lambda: arm.shared.rights.missing(application(AUTOMATION), WEB.resource_id, WRITE),
        lambda: arm.boot_logs.log(user, WEB, 10),
    ]


async def test_slow_questions_in_a_row_are_given_up_when_the_requests_time_is_over(
    arm: Arm, request_begins: Callable[..., None]
) -> None:
    asked = questions(arm)
    await asked[0]()  # signs in
    arm.world.faults = [Fault(match="/subscriptions/", hang=EACH, count=FOR_EVER)]
    for ask in asked:
        await asyncio.sleep(0)
        time_limit.current.set(None)
        await ask()
    request_begins()
    told = []
    for ask in asked:
        try:
            await ask()
        except Unavailable as error:
            told.append((error.what, error.trouble))
    assert {what for what, _ in told} <= {Dependency.ARM, Dependency.BOOT_DIAGNOSTICS}
    assert {how for _, how in told} <= {Trouble.SLOW, Trouble.LATE}
    assert len(told) >= len(asked) - 3


async def test_what_is_asked_when_the_time_is_over_is_not_sent(arm: Arm, request_begins: Callable[..., None]) -> None:
    await arm.vms.find(arm.user(GRACE), WEB)
    request_begins(0.0)
    arm.world.asked.clear()
    for ask in questions(arm):
        with pytest.raises(Unavailable) as told:
            await ask()
        assert told.value.trouble is Trouble.LATE
    assert not arm.world.asked


async def test_subscriptions_that_are_searched_for_an_account_have_one_time_together(
    arm: Arm, request_begins: Callable[..., None]
) -> None:
    around = ArmConstraints(arm.access, [SUBSCRIPTION, OTHER_SUBSCRIPTION], 0, arm.clock)
    await around.of(WEB)
    arm.world.faults = [Fault(match="storageAccounts", hang=2 * EACH, count=FOR_EVER)]
    request_begins()
    with pytest.raises(Unavailable, match="in time"):
        await around.account("stnobody", WEB)


async def test_an_act_is_not_begun_late_and_one_that_is_cut_off_is_to_be_looked_at(
    azure: LocalAzure, request_begins: Callable[..., None]
) -> None:
    arm = Arm(azure)
    user = arm.user(GRACE)
    await arm.vms.find(user, WEB)
    arm.world.asked.clear()
    request_begins(power.LEAST_SECONDS - 0.1)
    with pytest.raises(Unavailable, match="not asked") as told:
        await arm.power.do(user, WEB, Command.RESTART)
    assert (told.value.trouble, [*arm.world.asked]) == (Trouble.LATE, [])
    request_begins(power.LEAST_SECONDS + 0.2)
    arm.world.faults = [Fault(match="restart", hang=60, count=FOR_EVER)]
    with pytest.raises(Unavailable) as told:
        await arm.power.do(user, WEB, Command.RESTART)
    assert (told.value.trouble, len(arm.world.asked)) == (Trouble.SILENT, 1)
    await arm.close()


async def test_a_request_that_has_no_time_left_takes_none_from_another_that_asks_the_same() -> None:
    kept: TtlCache[str] = TtlCache(10, FakeClock())
    answer = asyncio.Event()

    async def ask() -> str:
        async with in_time(Dependency.ARM):
            await answer.wait()
        return "an answer"

    async def request(seconds: float) -> str:
        time_limit.current.set(TimeLimit(seconds))
        async with in_time(Dependency.ARM):
            return await kept.get("the same", ask)

    hasty, patient = asyncio.create_task(request(0.05)), asyncio.create_task(request(60.0))
    with pytest.raises(Unavailable, match="in time"):
        await hasty
    answer.set()
    assert await patient == "an answer"
