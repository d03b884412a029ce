"""The running stack as the acts see it: parts to kill and to freeze, wires to cut, faults to order."""

import asyncio
import contextlib
import os
import ssl
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals
from typing import Any

import httpx

from dev import demo, parts
from dev.chaos.processes import child_of
from dev.chaos.service import Service
from dev.chaos.viewer import Viewer
from dev.parts import Part
from dev.stack import HOST_KEY, Port, Stack
from dev.supervisor import Supervisor

MACHINES = tuple(vm for vm in demo.VIRTUAL_MACHINES if vm.name in ("web-01", "web-04"))
SPOOL_BYTES = 2 << 20
"""So little that a hub which is away for some seconds fills it."""
PATIENCE = 240.0
"""Seconds until what has to come is given up: after a kill the lock alone is away for half a minute."""
_POISON_SECONDS = 5.0
_TOLD_OF_NOTHING = (401, 403, 404)
"""Answers that say that there is nothing, or nothing for this caller."""
_MORE = {
    "relay": {"SPOOL_BYTES": str(SPOOL_BYTES)},
    "functions": {"RATE_CALLER": "1000000", "RATE_VM": "1000000", "RECHECK_SECONDS": "3", "CACHE_SECONDS": "1"},
}


@dataclass
class CampaignState:
    stack: Stack
    supervisor: Supervisor
    service: Service
    viewers: list[Viewer]
    excused: dict[str, dict[int, str]] = field(default_factory=dict[str, dict[int, str]])
    """By machine: connections on which bytes may be lost between the VM's host and the spool, and why."""

    visible: set[str] = field(default_factory=set[str])
    """Names of the VMs that this caller is told of while all is well."""
    faults: list[str] = field(default_factory=list[str])
    """What nobody must ever be told."""
    looks: Counter[str] = field(default_factory=Counter[str])
    """How often a list of VMs was whole, named what it lacks, or was refused, by code."""
    _pacing: asyncio.Lock = field(default_factory=asyncio.Lock)
    poison_sent: dict[bytes, bool] = field(default_factory=dict[bytes, bool])
    """Bodies of events that are no records; whether the hub surely has them."""

    # --- parts ------------------------------------------------------------------------------------------------

    def send(self, part: str, what: Signals) -> None:
        running = self.supervisor.running[part]
        running.deaths.clear()  # one that was ordered is not the part's own
        os.kill(running.process.pid, what)

    def pid(self, part: str) -> int:
        return self.supervisor.running[part].process.pid

    def engine(self) -> int | None:
        """The process of the host's durable engine; None while there is none."""
        return child_of(self.pid("functions"), "durable")

    async def killed(self, part: str, what: Signals = SIGKILL) -> None:
        """Returns when it is started again and answers."""
        before = self.pid(part)
        self.send(part, what)
        await self.until(lambda: self.pid(part) != before, f"{part} is started again")
        await self.supervisor.ready(part)

    async def frozen(self, part: str, seconds: float) -> None:
        pid = self.pid(part)
        os.kill(pid, SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            if self.pid(part) == pid:  # else it was killed meanwhile
                os.kill(pid, SIGCONT)

    # --- the VM's side ----------------------------------------------------------------------------------------

    async def generators(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self._control("GET", "/generators")).json()
        return found

    async def pace(self, rate: float) -> None:
        """Bytes a second of each VM, once nobody wants them silent."""
        async with self._pacing:
            await self._control("POST", "/generators", {"rate": rate})

    @asynccontextmanager
    async def silent(self) -> AsyncIterator[None]:
        """The VMs print nothing, whatever another act wants."""
        async with self._pacing:
            await self._control("POST", "/generators", {"rate": 0})
            yield

    async def cut(self, machine: str) -> None:
        number = (await self._control("POST", f"/generators/{machine}/cut")).json()["connection"]
        if number is not None:
            self.excused.setdefault(machine, {})[number] = "wire cut"

    async def port(self, machine: str, mode: str) -> None:
        await self._control("POST", f"/machines/{machine}/break-port", {"mode": mode})

    async def excuse(self, why: str) -> None:
        """What the connections of this moment lose."""
        for machine, said in (await self.generators()).items():
            if said["handed"]:
                self.excused.setdefault(machine, {}).setdefault(len(said["handed"]) - 1, why)

    async def _control(self, method: str, path: str, body: Any = None) -> httpx.Response:
        answer = await self.service.http.request(method, f"{self.stack.http(Port.GATEWAY_CONTROL)}{path}", json=body)
        return answer.raise_for_status()

    # --- the hub ----------------------------------------------------------------------------------------------

    async def hub(self, path: str, body: Any = None) -> None:
        address = f"{self.stack.http(Port.EVENT_HUBS_ADMIN)}{path}"
        (await self.service.http.post(address, json=body)).raise_for_status()

    async def poison(self, bodies: Sequence[bytes]) -> None:
        """Sends them into every partition. Nobody knows what a hub has that did not answer."""
        from azure.eventhub import EventData  # noqa: PLC0415 - slow to import, and rare here
        from azure.eventhub.aio import EventHubProducerClient  # noqa: PLC0415 - as above
        from azure.eventhub.exceptions import EventHubError  # noqa: PLC0415 - as above

        hub, _, partitions = parts.HUB.partition(":")
        client = EventHubProducerClient.from_connection_string(
            parts.records(self.stack), eventhub_name=hub, retry_total=0
        )
        self.poison_sent.update(dict.fromkeys(bodies, False))
        with contextlib.suppress(EventHubError, TimeoutError, OSError):
            async with asyncio.timeout(_POISON_SECONDS), client:
                for number in range(int(partitions)):
                    await client.send_batch([EventData(body) for body in bodies], partition_id=str(number))
                self.poison_sent.update(dict.fromkeys(bodies, True))

    # --- Azure Resource Manager -------------------------------------------------------------------------------

    async def arm(self, path: str, body: Any) -> None:
        """While it is away, or frozen, it has no faults to order."""
        trusted = ssl.create_default_context(cafile=str(self.stack.ca))
        with contextlib.suppress(httpx.TransportError):
            async with httpx.AsyncClient(base_url=self.stack.https(Port.ARM), verify=trusted, trust_env=False) as http:
                (await http.post(path, json=body)).raise_for_status()

    async def look_at_list(self) -> None:
        """A list is whole, or names what it lacks, or is refused as what cannot be had."""
        try:
            answer = await self.service.ask("/consoles")
        except httpx.TransportError:  # the function app is away
            return
        said = answer.json() if answer.content else {}
        if answer.is_success:
            whole = self.visible <= {each["name"] for each in said["value"]}
            self.looks["whole" if whole else "names what it lacks"] += 1
            if not whole and not said["unasked"]:
                self.faults.append(f"a list lacks VMs and does not say so: {len(said['value'])} of them")
            return
        code = answer.headers.get("x-ms-error-code", str(answer.status_code))
        self.looks[code] += 1
        if answer.status_code in _TOLD_OF_NOTHING:
            self.faults.append(f"a list that could not be had was answered {answer.status_code} {code}")

    # --- the function app -------------------------------------------------------------------------------------

    async def upkeep(self) -> bool:
        """Starts what a timer starts every five minutes; whether the host took the request."""
        address = f"{self.stack.http(Port.FUNCTIONS)}/admin/functions/keep_archive"
        try:
            key = {"x-functions-key": HOST_KEY}
            return (await self.service.http.post(address, json={"input": ""}, headers=key)).is_success
        except httpx.HTTPError:
            return False

    # --- states -----------------------------------------------------------------------------------------------

    async def relay_says(self) -> dict[str, Any]:
        """Its health; nothing while it does not answer."""
        try:
            answer = await self.service.http.get(f"{self.stack.http(Port.RELAY_CONTROL)}/healthz")
        except httpx.HTTPError:
            return {}
        said: dict[str, Any] = answer.json()
        return said

    async def all_shown(self) -> bool:
        """Whether everything that was printed has been shown, as far as the newest connections go."""
        said = await self.generators()
        return all(
            viewer.is_attached and viewer.runs and _is_shown(viewer, said[viewer.vm.name]) for viewer in self.viewers
        )

    async def until(self, holds: Callable[[], Any], what: str, patience: float = PATIENCE) -> None:
        """Raises TimeoutError that says what never came."""
        try:
            async with asyncio.timeout(patience):
                while not await _true(holds()):  # noqa: ASYNC110 - what other processes do, no event tells
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise TimeoutError(f"never: {what}") from None


async def _true(found: Any) -> bool:
    return bool(await found if asyncio.iscoroutine(found) else found)


def _is_shown(viewer: Viewer, said: dict[str, Any]) -> bool:
    if not said["handed"]:
        return False
    first, end = said["handed"][-1]
    return bool(said["printed"] == end and viewer.runs[-1].end == end - first)


@asynccontextmanager
async def running(stack: Stack, seed: str, say: Callable[[str], None]) -> AsyncIterator[CampaignState]:
    """The stack with generators for machines, and viewers at all of them. Raises StepFailed."""
    supervisor, service = Supervisor(stack, say), Service(stack)
    viewers: list[Viewer] = []
    try:
        for part in _parts(stack, seed):
            await supervisor.start(part)
        for name in list(supervisor.running):
            await supervisor.ready(name)
        field_ = CampaignState(stack, supervisor, service, viewers)
        await field_.until(service.healthy, "the API finds everything healthy")
        field_.visible = {each["name"] for each in (await service.call("GET", "/consoles")).json()["value"]}
        viewers += (Viewer(service, vm) for vm in MACHINES)
        yield field_
    finally:
        for viewer in viewers:
            await viewer.leave()
        await service.close()
        await supervisor.stop()


def _parts(stack: Stack, seed: str) -> list[Part]:
    """Those of `make up`, with generators behind the gateway; without the page, which has no part in this.

    The relay's log leaves through a pipe, so that a limit on the files it writes is one on its spool.
    """
    machines = [word for vm in MACHINES for word in ("--machine", vm.name)]
    where = ["--base", str(stack.base), "--home", str(stack.home)]
    commands = {
        "gateway": (sys.executable, "-m", "dev.chaos.port", *where, "--seed", seed, *machines),
        "relay": ("bash", "-c", 'exec "$0" -m relay > >(exec cat) 2>&1', sys.executable),
    }
    return [
        replace(
            part, command=commands.get(part.name, part.command),
            environment={**part.environment, **_MORE.get(part.name, {})},
        )
        for part in parts.parts(stack)
        if part.name != "front-door"
    ]  # fmt: skip
