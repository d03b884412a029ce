"""Many live sessions before the stand-in of Azure Resource Manager, and a clock that this process moves."""

from collections import Counter, deque
from dataclasses import replace

from dev.arm.throttle import Throttle
from dev.arm.world import Unit
from dev.demo import READER, SERVICE, SUBSCRIPTION, TENANT, VM_CONTRIBUTOR, Assignment, VirtualMachine
from shared.base.vm import Os, VmId
from shared.session.dependencies import Dependencies, LiveAzure
from shared.session.flows.live_session import Live, SessionEnding
from shared.session.flows.renew_sessions import renew_sessions
from shared.session.grant import Mode
from shared.session.ports import Session
from tests.contract.arm import PERIOD, Arm
from tests.fakes import NOW, FakeDependencies

HEARTBEAT = 5
WHOLE = f"/subscriptions/{SUBSCRIPTION}"
TEAM = "0a0c0000-0000-4000-8000-0000000000bb"


class LiveSessions:
    """`consoles` of `people` who hold their role by a group. ARM's limits hold, by the same clock."""

    def __init__(self, arm: Arm, consoles: int, people: int, *, shared: bool = True) -> None:
        self.arm, self.people = arm, [f"0b0c0000-0000-4000-8000-{number:012d}" for number in range(people)]
        names = [f"many-{number:04d}" for number in range(consoles)]
        arm.world.units = {name: Unit(VirtualMachine(name, "rg-web", ""), "running") for name in names}
        arm.world.members = {TEAM: tuple(self.people)}
        arm.world.assignments = (Assignment(SERVICE.oid, READER, WHOLE), Assignment(TEAM, VM_CONTRIBUTOR, WHOLE))
        arm.world.asked = deque()
        arm.world.throttle = Throttle(now=arm.clock.now)
        fakes = FakeDependencies()
        fakes.clock = arm.clock
        each_alone = LiveAzure(vms=arm.vms, rights=arm.rights, around=arm.around)
        self.dependencies: Dependencies = replace(
            fakes.dependencies, clock=arm.clock, live_azure=arm.shared if shared else each_alone
        )
        self.live = [self._open(fakes, number, VmId(SUBSCRIPTION, "rg-web", name)) for number, name in enumerate(names)]

    def _open(self, fakes: FakeDependencies, number: int, vm: VmId) -> Live:
        oid, session = self.people[number % len(self.people)], f"session-{number:06d}"
        fakes.sessions.rows[session] = Session(
            session, vm, f"{TENANT}.{oid}", "Somebody", Mode.WATCH, 1, NOW, "r0", os=Os.LINUX
        )
        return Live(vm, session, 1, Mode.WATCH)

    async def go_on(self, seconds: float) -> list[tuple[float, SessionEnding]]:
        """Heartbeats for so long; who ended, and how many seconds after the start. The ended are not asked again."""
        start, ended = self.arm.clock.now(), []
        while self.arm.clock.now() < start + seconds:
            self.arm.clock.time += HEARTBEAT
            endings = await renew_sessions(self.dependencies, "r0", self.live)
            ended += [(self.arm.clock.now() - start, each) for each in endings]
            over = {each.session for each in endings}
            self.live = [each for each in self.live if each.session not in over]
        return ended

    async def calls_a_minute(self, periods: int = 3) -> float:
        """Of Azure Resource Manager, once the first looks are done."""
        await self.go_on(2 * PERIOD)
        self.arm.world.asked.clear()
        await self.go_on(periods * PERIOD)
        return len(self.arm.world.asked) / (periods * PERIOD) * 60

    def kinds(self) -> Counter[str]:
        """What was asked, by the last part of its address."""
        return Counter(asked.rpartition("/")[2] for asked in self.arm.world.asked)
