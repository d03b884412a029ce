"""The gateway's control API: the machines behind the VMs."""

from typing import Protocol

import httpx

from dev.stack import Port, Stack

_ASK_SECONDS = 2.0
_ACT_SECONDS = 60.0
"""Stopping waits for the guest to shut down."""


class MachineRefusedError(Exception):
    """The gateway knows the machine and could not do it."""


class Machines(Protocol):
    async def states(self) -> dict[str, str]:
        """Machine name to `running`, `starting` or `stopped`; machines not named are unknown there."""

    async def act(self, machine: str, verb: str) -> None:
        """`start`, `stop` or `reset`; does nothing if nobody has that machine. Raises MachineRefusedError."""

    async def printed(self, machine: str) -> bytes | None:
        """What its serial port printed since the stack came up; None if nobody has that machine."""


class GatewayMachines:
    """Asks the gateway. Where it does not answer, ARM goes by its own table."""

    def __init__(self, stack: Stack) -> None:
        # No proxy and no certificates: plain http to this machine.
        base = f"http://127.0.0.1:{stack.port(Port.GATEWAY_CONTROL)}"
        self._http = httpx.AsyncClient(base_url=base, timeout=_ASK_SECONDS, trust_env=False, verify=False)  # noqa: S501 - see above

    async def states(self) -> dict[str, str]:
        try:
            answer = await self._http.get("/machines")
            answer.raise_for_status()
            return {machine["name"]: machine["state"] for machine in answer.json()}
        except (httpx.HTTPError, ValueError):
            return {}

    async def act(self, machine: str, verb: str) -> None:
        try:
            answer = await self._http.post(f"/machines/{machine}/{verb}", timeout=_ACT_SECONDS)
        except httpx.ConnectError:
            return
        except httpx.HTTPError as failure:
            raise MachineRefusedError(type(failure).__name__) from failure
        if answer.is_error and answer.status_code != 404:
            raise MachineRefusedError(f"{verb}: the gateway answered {answer.status_code}")

    async def printed(self, machine: str) -> bytes | None:
        try:
            answer = await self._http.get(f"/machines/{machine}/printed")
        except httpx.HTTPError:
            return None
        return answer.content if answer.is_success else None

    async def close(self) -> None:
        await self._http.aclose()
