"""What is done to whom. Each act takes a moment and leaves the stack as it found it, but for its consequences."""

import asyncio
import os
import resource
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from signal import SIGKILL, SIGSTOP, SIGTERM

from dev.chaos.arm_faults import break_arm, cut_arm, freeze_arm, kill_arm, silence_arm, throttle_arm
from dev.chaos.campaign_state import MACHINES, CampaignState
from shared.base.record import Batch, Record, RecordKind, Source

KILL_STORAGE = "kill -9 storage and host"
KILL_ENGINE = "kill -9 engine"
BUSY = "com.microsoft:server-busy"
_NOTICED_SECONDS = 0.3
"""The supervisor knows by then that a part is dead."""
_FULL_AFTER = 4096
"""Bytes that a full disk still takes in each file."""


@dataclass(frozen=True)
class Fault:
    """`part`: acts on different parts may happen at once. `weight`: how often it is chosen."""

    name: str
    part: str
    do: Callable[[CampaignState, Random], Awaitable[None]]
    weight: int = 2


async def kill_relay(field: CampaignState, dice: Random) -> None:
    """While the VM prints: what its host has sent and the relay has not read is lost with the socket."""
    del dice
    field.send("relay", SIGSTOP)  # from here on no other connection is opened
    await field.excuse("relay killed")
    await field.killed("relay")


async def kill_relay_when_quiet(field: CampaignState, dice: Random) -> None:
    """While the VM is silent and all it printed is recorded: then nothing may be missing."""
    async with field.silent():
        await field.until(field.all_shown, "everything that was printed is shown")
        await field.killed("relay")
    await field.pace(_rate(dice))


async def restart_relay(field: CampaignState, dice: Random) -> None:
    """As a new version is rolled out: told to end, it reads its ports out and drains. Nothing may be missing."""
    del dice
    await field.killed("relay", SIGTERM)


async def freeze_relay(field: CampaignState, dice: Random) -> None:
    await field.frozen("relay", dice.uniform(0.2, 4))


async def fill_relay_disk(field: CampaignState, dice: Random) -> None:
    """No file of the spool grows any more: writes are cut short, then refused. The VM waits, and nothing is lost."""
    pid = field.pid("relay")
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (_FULL_AFTER, hard))
    await asyncio.sleep(dice.uniform(0.3, 2))
    if field.pid("relay") == pid:  # else it was killed meanwhile, and the limit with it
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


async def kill_host(field: CampaignState, dice: Random) -> None:
    del dice
    await field.killed("functions")


async def kill_engine(field: CampaignState, dice: Random) -> None:
    """Of the durable functions, under a host that lives: the lock is away for half a minute."""
    del dice
    before = field.engine()
    if before is not None:
        os.kill(before, SIGKILL)
    await field.until(lambda: field.engine() not in (None, before), "another engine is started")


async def kill_host_twice(field: CampaignState, dice: Random) -> None:
    """The next one is killed before it has the lock's partitions."""
    await kill_host(field, dice)
    await asyncio.sleep(dice.uniform(0, 10))
    await kill_host(field, dice)


async def freeze_host(field: CampaignState, dice: Random) -> None:
    await field.frozen("functions", dice.uniform(0.2, 5))


async def kill_hub(field: CampaignState, dice: Random) -> None:
    del dice
    await field.killed("event-hubs")


async def freeze_hub(field: CampaignState, dice: Random) -> None:
    await field.frozen("event-hubs", dice.uniform(0.2, 5))


async def fill_spool(field: CampaignState, dice: Random) -> None:
    """The hub is away while the VM prints more than the spool takes: the VM must wait, and nothing may be lost."""
    await field.pace(1_500_000)
    await field.frozen("event-hubs", 4)
    await field.pace(_rate(dice))


async def lose_acknowledgements(field: CampaignState, dice: Random) -> None:
    """The hub has the records, and nobody hears of it: they are sent again."""
    await field.hub("/faults", {"send": {"count": dice.randint(1, 5), "drop": True}})


async def be_busy(field: CampaignState, dice: Random) -> None:
    await field.hub("/faults", {"send": {"count": dice.randint(1, 8), "reject": BUSY}})


async def be_slow(field: CampaignState, dice: Random) -> None:
    await field.hub("/faults", {"send": {"count": dice.randint(1, 20), "delay_ms": dice.randint(50, 800)}})


async def disconnect_hub(field: CampaignState, dice: Random) -> None:
    await field.hub(dice.choice(("/disconnect", "/detach")))


async def freeze_storage(field: CampaignState, dice: Random) -> None:
    await field.frozen("azurite", dice.uniform(0.2, 6))


async def restart_storage(field: CampaignState, dice: Random) -> None:
    """Connections are refused for a second or two."""
    del dice
    await field.killed("azurite", SIGTERM)


async def kill_storage(field: CampaignState, dice: Random) -> None:
    """The emulator then forgets some seconds of acknowledged writes, which Azure never does; whoever remembers them
    goes with it, so that what was archived and how far the hub was read are forgotten alike.
    """
    del dice
    field.send("functions", SIGKILL)
    field.send("azurite", SIGKILL)
    await asyncio.sleep(_NOTICED_SECONDS)
    for part in ("azurite", "functions"):
        await field.supervisor.ready(part)


async def run_upkeep(field: CampaignState, dice: Random) -> None:
    """Index and signed checkpoints, while something else may go wrong."""
    del dice
    await field.upkeep()


async def send_poison(field: CampaignState, dice: Random) -> None:
    """Events that are not what relays send, in every partition: kept byte for byte, in nobody's way."""
    source = Source(dice.choice(MACHINES).id.lower(), dice.choice(("..", "", "a/b")), "nobody")
    whole = Batch(source, (Record(RecordKind.PRINTED, 1, 1, dice.randbytes(9)),)).encode()
    await field.poison((dice.randbytes(dice.randint(1, 400)), whole, whole[: dice.randint(7, len(whole) - 1)]))


async def cut_wire(field: CampaignState, dice: Random) -> None:
    await field.cut(dice.choice(MACHINES).name)


async def stall_wire(field: CampaignState, dice: Random) -> None:
    machine = dice.choice(MACHINES).name
    await field.port(machine, "stall")
    await asyncio.sleep(dice.uniform(0.2, 3))
    await field.port(machine, "restore")


async def refuse_wire(field: CampaignState, dice: Random) -> None:
    """The gateway cuts, and takes nobody back for a while."""
    machine = dice.choice(MACHINES).name
    await field.port(machine, "refuse")
    await field.cut(machine)
    await asyncio.sleep(dice.uniform(0.2, 3))
    await field.port(machine, "restore")


async def cut_viewers(field: CampaignState, dice: Random) -> None:
    for viewer in field.viewers:
        if dice.random() < 0.7:
            viewer.cut()


async def change_pace(field: CampaignState, dice: Random) -> None:
    await field.pace(_rate(dice))


def _rate(dice: Random) -> float:
    """Bytes a second of each VM."""
    return dice.choice((300, 5_000, 20_000, 60_000, 120_000))


FAULTS = (
    Fault("kill -9 relay", "relay", kill_relay),
    Fault("kill -9 relay, wire quiet", "relay", kill_relay_when_quiet),
    Fault("restart relay", "relay", restart_relay),
    Fault("freeze relay", "relay", freeze_relay),
    Fault("relay's disk full", "relay", fill_relay_disk),
    Fault("kill -9 host", "functions", kill_host),
    Fault(KILL_ENGINE, "functions", kill_engine),
    Fault("kill -9 host, twice", "functions", kill_host_twice, 1),
    Fault("freeze host", "functions", freeze_host),
    Fault("kill -9 hub", "event-hubs", kill_hub),
    Fault("freeze hub", "event-hubs", freeze_hub),
    Fault("spool full", "event-hubs", fill_spool),
    Fault("lose acknowledgements", "event-hubs", lose_acknowledgements, 4),
    Fault("server busy", "event-hubs", be_busy, 4),
    Fault("slow acknowledgements", "event-hubs", be_slow),
    Fault("disconnect hub", "event-hubs", disconnect_hub),
    Fault("freeze storage", "azurite", freeze_storage),
    Fault("restart storage", "azurite", restart_storage),
    Fault(KILL_STORAGE, "azurite", kill_storage),
    Fault("throttle ARM", "arm", throttle_arm),
    Fault("break ARM", "arm", break_arm),
    Fault("silence ARM", "arm", silence_arm),
    Fault("cut ARM", "arm", cut_arm),
    Fault("freeze ARM", "arm", freeze_arm, 1),
    Fault("kill -9 ARM", "arm", kill_arm, 1),
    Fault("upkeep", "upkeep", run_upkeep),
    Fault("poison events", "poison", send_poison),
    Fault("cut wire", "wire", cut_wire),
    Fault("stall wire", "wire", stall_wire),
    Fault("refuse wire", "wire", refuse_wire),
    Fault("cut viewers", "viewers", cut_viewers, 4),
    Fault("change pace", "generator", change_pace, 4),
)
