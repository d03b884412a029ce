from shared.access.commands import Command
from shared.access.flows.approve import ask_approval, decide_approval
from shared.access.policy import Policy, Scope
from shared.access.rights import Right
from shared.base.refusals import Code, Refusal
from shared.session.flows.change_policy import clear_policy, set_policy
from shared.session.flows.open_session import Opened, OpenSessionRequest, open_session
from shared.session.flows.run_command import run_command
from shared.session.grant import Mode
from tests.fakes import VM, FakeDependencies, person, without_read


async def test_a_caller_who_asks_too_often_is_told_when_to_come_again() -> None:
    fakes = FakeDependencies(RATE_CALLER="4")
    answers = [await open_session(fakes.dependencies, person(), VM, OpenSessionRequest()) for _ in range(3)]
    assert [isinstance(answer, Opened) for answer in answers] == [True, True, False]
    assert isinstance(answers[2], Refusal)
    assert (answers[2].code, answers[2].retry_after) == (Code.TOO_MANY_REQUESTS, 15)
    assert isinstance(await open_session(fakes.dependencies, person("grace"), VM, OpenSessionRequest()), Opened)
    fakes.clock.time += 15
    assert isinstance(await open_session(fakes.dependencies, person(), VM, OpenSessionRequest()), Opened)


async def test_a_vm_is_not_asked_for_more_than_its_share() -> None:
    fakes = FakeDependencies(RATE_VM="2")
    assert isinstance(await open_session(fakes.dependencies, person(), VM, OpenSessionRequest()), Opened)
    assert await run_command(fakes.dependencies, person("grace"), VM, Command.RESTART, reason=None) is None
    for refused in (
        await open_session(fakes.dependencies, person("grace"), VM, OpenSessionRequest()),
        await run_command(fakes.dependencies, person("grace"), VM, Command.STOP, reason=None),
    ):
        assert isinstance(refused, Refusal)
        assert refused.code is Code.TOO_MANY_REQUESTS


async def test_who_may_only_watch_keeps_no_writer_out() -> None:
    fakes = FakeDependencies(RATE_VM="2")
    for _ in range(3):
        await open_session(fakes.dependencies, person("eve"), VM, OpenSessionRequest(mode=Mode.WATCH))
    assert isinstance(await open_session(fakes.dependencies, person(), VM, OpenSessionRequest()), Opened)


async def test_who_asks_too_often_costs_azure_nothing() -> None:
    fakes = FakeDependencies(RATE_CALLER="1")
    await open_session(fakes.dependencies, person(), VM, OpenSessionRequest())
    fakes.rights.asked = 0
    await open_session(fakes.dependencies, person(), VM, OpenSessionRequest())
    assert fakes.rights.asked == 0


async def test_who_may_not_open_a_console_uses_up_nothing_of_its_share() -> None:
    fakes = FakeDependencies(RATE_VM="2")
    fakes.rights.lacking["alan"] = without_read()
    for _ in range(5):
        await open_session(fakes.dependencies, person("alan"), VM, OpenSessionRequest())
    assert isinstance(await open_session(fakes.dependencies, person(), VM, OpenSessionRequest()), Opened)


async def test_every_change_counts_for_its_caller() -> None:
    fakes = FakeDependencies(RATE_CALLER="1")
    await open_session(fakes.dependencies, person(), VM, OpenSessionRequest())
    scope = Scope.of_vm(VM)
    for refused in (
        await run_command(fakes.dependencies, person(), VM, Command.NMI, reason=None),
        await set_policy(fakes.dependencies, person(), scope, Policy(), None),
        await clear_policy(fakes.dependencies, person(), scope),
        await ask_approval(fakes.dependencies, person(), VM, Right.WRITE, "why"),
        await decide_approval(fakes.dependencies, person(), VM, "any", allow=True, comment=None),
    ):
        assert isinstance(refused, Refusal)
        assert refused.code is Code.TOO_MANY_REQUESTS
