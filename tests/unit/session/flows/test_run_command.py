import pytest

from shared.access.commands import Command
from shared.access.policy import Switch
from shared.access.rights import Right
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import Power
from shared.session.flows.run_command import run_command
from tests.fakes import VM, FakeDependencies, everything, machine, person, without_read


async def refused(fakes: FakeDependencies, act: Command, reason: str | None = None) -> Refusal:
    answer = await run_command(fakes.dependencies, person(), VM, act, reason=reason)
    assert answer is not None
    assert not [told for told in fakes.relays.told if told[0] == "command"]
    assert not fakes.power.done
    return answer


@pytest.mark.parametrize("act", [Command.RESTART, Command.START, Command.STOP])
async def test_azure_does_it_after_the_transcript_has_it(fakes: FakeDependencies, act: Command) -> None:
    fakes.vms.vms[VM.console] = machine(power=Power.STOPPED, provisioning="Updating", boot_diagnostics=False)
    assert await run_command(fakes.dependencies, person(), VM, act, reason=None) is None
    assert fakes.relays.told == [("note", act, "Ada")]
    assert fakes.power.done == [("ada", act)]


async def test_a_relay_that_does_not_hear_stops_no_restart(
    fakes: FakeDependencies, caplog: pytest.LogCaptureFixture
) -> None:
    fakes.relays.reachable = False
    assert await run_command(fakes.dependencies, person(), VM, Command.RESTART, reason=None) is None
    assert "activity log" in caplog.text


async def test_what_azure_refuses_is_handed_on(fakes: FakeDependencies) -> None:
    fakes.power.refusal = refuse(Code.POWER_ACT_REFUSED)
    assert await run_command(fakes.dependencies, person(), VM, Command.START, reason=None) == fakes.power.refusal


@pytest.mark.parametrize(("act", "keys"), [(Command.RESET, ""), (Command.NMI, ""), (Command.SYSRQ, "b")])
async def test_the_open_line_carries_the_others(fakes: FakeDependencies, act: Command, keys: str) -> None:
    assert await run_command(fakes.dependencies, person(), VM, act, keys=keys, reason=None) is None
    assert fakes.relays.told == [("command", act, keys, "Ada")]
    fakes.relays.reachable = False
    answer = await run_command(fakes.dependencies, person(), VM, act, keys=keys, reason=None)
    assert answer is not None
    assert answer.code is Code.CONSOLE_NOT_OPEN


@pytest.mark.parametrize(
    ("act", "code"), [(Command.RESET, Code.POWER_PERMISSION_DENIED), (Command.SYSRQ, Code.NMI_PERMISSION_DENIED)]
)
async def test_each_act_has_its_own_right(fakes: FakeDependencies, act: Command, code: Code) -> None:
    fakes.rights.lacking["ada"] = without_read()
    assert (await refused(fakes, act)).code is code
    fakes.rights.lacking["ada"] = everything()
    assert (await refused(fakes, act)).code is Code.VM_NOT_FOUND


async def test_all_that_stands_in_the_way_is_said_at_once(fakes: FakeDependencies) -> None:
    fakes.policies.put(VM.console, console=Switch.OFF, reason=True, approval=frozenset({Right.POWER}))
    answer = await refused(fakes, Command.STOP)
    assert [answer.code, *(each.code for each in answer.details)] == [
        Code.CONSOLE_DISABLED_BY_POLICY,
        Code.REASON_REQUIRED,
        Code.APPROVAL_REQUIRED,
    ]
