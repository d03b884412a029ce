import pytest

from shared.access.policy import TENANT, Switch, Typing
from shared.access.recording_settings import RecordingSettings
from shared.base.ports import Dependency, Unavailable
from shared.base.vm import VmId
from shared.session.flows.get_recording_settings import RelayRecording, get_recording_settings
from tests.fakes import SUBSCRIPTION, VM, FakeDependencies

OTHER = VmId(SUBSCRIPTION, "rg-web", "web-02")


async def test_by_rule_there_is_nothing_to_tell(fakes: FakeDependencies) -> None:
    assert await get_recording_settings(fakes.dependencies, "r0", [VM]) == RelayRecording({}, [])


async def test_what_policies_say_of_the_consoles_at_which_somebody_is(fakes: FakeDependencies) -> None:
    fakes.policies.put(TENANT, mask=("x",))
    fakes.policies.put(VM.resource_id, typed=Typing.MASKED)
    assert (await get_recording_settings(fakes.dependencies, "r0", [VM, OTHER])).keep == {
        VM: RecordingSettings(Typing.MASKED, ("x",)), OTHER: RecordingSettings(Typing.COUNTED, ("x",)),
    }  # fmt: skip


async def test_a_captured_vm_is_told_to_its_own_relay_with_what_is_kept_of_it(fakes: FakeDependencies) -> None:
    fakes.policies.put(VM.resource_id, capture=True, mask=("x",))
    known = await get_recording_settings(fakes.dependencies, "r0", [])
    assert [vm.console for vm in known.capture] == [VM.console]
    assert [vm.console for vm in known.keep] == [VM.console]
    assert await get_recording_settings(fakes.dependencies, "r1", []) == RelayRecording({}, [])


async def test_a_console_that_is_switched_off_is_not_captured(fakes: FakeDependencies) -> None:
    fakes.policies.put(TENANT, console=Switch.OFF)
    fakes.policies.put(VM.resource_id, capture=True)
    assert (await get_recording_settings(fakes.dependencies, "r0", [])).capture == []


async def test_when_policies_cannot_be_read_nothing_is_guessed(fakes: FakeDependencies) -> None:
    fakes.policies.fail = Unavailable(Dependency.STORAGE_TABLES, "away")
    with pytest.raises(Unavailable):
        await get_recording_settings(fakes.dependencies, "r0", [VM])
