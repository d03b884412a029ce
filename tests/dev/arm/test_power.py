import pytest

from dev.arm import power
from dev.arm.machines import MachineRefusedError
from dev.arm.world import Unit, World


class Gateway:
    """Machines that do as they are told, or refuse."""

    def __init__(self, **states: str) -> None:
        self.running = {name.replace("_", "-"): state for name, state in states.items()}
        self.refuses = False
        self.acts: list[tuple[str, str]] = []

    async def states(self) -> dict[str, str]:
        return self.running

    async def act(self, machine: str, verb: str) -> None:
        self.acts.append((machine, verb))
        if self.refuses:
            raise MachineRefusedError("no room")
        self.running[machine] = "stopped" if verb == "stop" else "running"

    async def printed(self, machine: str) -> bytes | None:
        return f"{machine} booted\r\n".encode() if machine != "db-01" else None


def unit(name: str) -> Unit:
    return World().units[name]


def test_without_a_machine_the_fleets_table_holds() -> None:
    assert power.state_of(unit("web-01"), {}) == "running"
    assert power.state_of(unit("web-02"), {}) == "deallocated"


def test_a_machine_that_boots_at_the_first_connection_counts_as_running() -> None:
    assert power.state_of(unit("web-04"), {"web-04": "stopped"}) == "running"


def test_a_machine_that_ran_and_stopped_is_a_stopped_vm() -> None:
    vm = unit("web-01")
    assert power.state_of(vm, {"web-01": "running"}) == "running"
    assert power.state_of(vm, {"web-01": "stopped"}) == "stopped"


def test_a_deallocated_vm_whose_machine_comes_up_is_starting_then_running() -> None:
    vm = unit("web-02")
    assert power.state_of(vm, {"web-02": "stopped"}) == "deallocated"
    assert power.state_of(vm, {"web-02": "starting"}) == "starting"
    assert power.state_of(vm, {"web-02": "running"}) == "running"


@pytest.mark.parametrize(
    ("action", "verb", "after"),
    [
        ("start", "start", "running"),
        ("restart", "reset", "running"),
        ("powerOff", "stop", "stopped"),
        ("deallocate", "stop", "deallocated"),
    ],
)
async def test_an_action_reaches_the_machine(action: str, verb: str, after: str) -> None:
    world, gateway = World(), Gateway(web_01="running")
    vm = world.units["web-01"]
    await power.begin(world, gateway, vm, action).work
    assert gateway.acts == [("web-01", verb)]
    assert power.state_of(vm, await gateway.states()) == after


async def test_a_restart_of_a_machine_not_yet_booted_starts_it() -> None:
    world, gateway = World(), Gateway(web_04="stopped")
    await power.begin(world, gateway, world.units["web-04"], "restart").work
    assert gateway.acts == [("web-04", "start")]


async def test_a_refused_action_changes_nothing() -> None:
    world, gateway = World(), Gateway(web_02="stopped")
    gateway.refuses = True
    operation = power.begin(world, gateway, world.units["web-02"], "start")
    with pytest.raises(MachineRefusedError):
        await operation.work
    assert world.units["web-02"].power == "deallocated"
