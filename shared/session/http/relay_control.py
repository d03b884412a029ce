"""The control address of each relay: fence, end, ask, acts. Every call is signed over its very bytes."""

import json
from collections.abc import Sequence
from typing import Any

import aiohttp

from shared.access.commands import Command
from shared.base import time_limit
from shared.base.archive_progress import RecordedLast
from shared.base.http_json import Http, correlated, refusal_of
from shared.base.in_time import in_time
from shared.base.ports import Dependency, Trouble, Unavailable
from shared.base.refusals import Refusal
from shared.base.vm import VmId
from shared.session.ports import Relay, Tokens
from shared.session.sharding import owner

_NO_CONTENT = 204
_OK = 200
_ROUND_TRIP_SECONDS = 5.0
"""Added to the time that the person who is asked has."""
COMMAND_SECONDS = 7.0
"""The relay waits for the VM's gateway, and answers itself when that does not (azure_serial_acts.SECONDS)."""
COMMAND_LEAST_SECONDS = 2.0
"""What the relay takes down the line is done, whether its answer comes in time or not: so it is not begun late."""


class RelayControl:
    def __init__(self, relays: Sequence[Relay], tokens: Tokens, http: Http) -> None:
        self._relays = {relay.name: relay for relay in relays}
        self._tokens, self._http = tokens, http

    def of(self, vm: VmId) -> Relay:
        return self._relays[owner(vm.console, list(self._relays))]

    async def fence(self, vm: VmId, generation: int, by: str) -> bool:
        return await self._deliver(vm, "fence", {"generation": generation, "by": by})

    async def end(self, vm: VmId, session: str, code: str, by: str) -> bool:
        return await self._deliver(vm, "end", {"session": session, "code": code, "by": by})

    async def ask(self, vm: VmId, generation: int, by: str, seconds: float) -> bool:
        """Raises Unavailable: nobody could be asked, so nothing was allowed."""
        payload = {"generation": generation, "by": by, "seconds": seconds}
        with time_limit.put_off(seconds):
            status, answer = await self._call(vm, "ask", payload, seconds + _ROUND_TRIP_SECONDS)
        if status != _OK or not isinstance(answer, dict) or not isinstance(answer.get("allow"), bool):
            raise Unavailable(Dependency.RELAY, f"answered {status} to a question", which=self.of(vm).name)
        return bool(answer["allow"])

    async def command(self, vm: VmId, act: Command, keys: str, by: str) -> Refusal | None:
        """Not repeated: the first call may have reset the VM."""
        status, answer = await self._call(
            vm, "command", {"command": act.value, "keys": keys, "by": by}, COMMAND_SECONDS, COMMAND_LEAST_SECONDS
        )
        return None if status == _NO_CONTENT else refusal_of(Dependency.RELAY, status, answer, which=self.of(vm).name)

    async def recorded_last(self, vm: VmId) -> RecordedLast | None:
        status, answer = await self._call(vm, "recorded", {}, _ROUND_TRIP_SECONDS)
        match answer:
            case {"epoch": str(epoch), "sequence": int(sequence), "time": float(time)} if status == _OK:
                return RecordedLast(epoch, sequence, time)
            case {} if status == _OK and not answer:
                return None
        raise Unavailable(Dependency.RELAY, f"answered {status} to what it recorded last", which=self.of(vm).name)

    async def note(self, vm: VmId, act: Command, by: str) -> bool:
        return await self._deliver(vm, "note", {"act": act.value, "by": by})

    async def _deliver(self, vm: VmId, what: str, payload: dict[str, Any]) -> bool:
        try:
            status, _ = await self._call(vm, what, payload, _ROUND_TRIP_SECONDS)
        except Unavailable:
            return False
        return status == _NO_CONTENT

    async def _call(
        self, vm: VmId, what: str, payload: dict[str, Any], seconds: float, least: float = 0.0
    ) -> tuple[int, Any]:
        """`seconds` and what the request has left bound it, whichever is less. Raises Unavailable."""
        async with in_time(Dependency.RELAY, seconds, which=self.of(vm).name, least=least, late=Trouble.SILENT) as left:
            return await self._send(vm, what, payload, min(seconds, left))

    async def _send(self, vm: VmId, what: str, payload: dict[str, Any], seconds: float) -> tuple[int, Any]:
        relay = self.of(vm)
        body = json.dumps({"vm": vm.resource_id, **payload}).encode()
        headers = {
            "Authorization": f"Bearer {await self._tokens.sign_command(relay.name, body)}",
            "Content-Type": "application/json",
            **correlated(),
        }
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._http.session.post(
                f"{relay.control}/control/{what}", data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                return answer.status, None if answer.status == _NO_CONTENT else await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            trouble = Trouble.SILENT if isinstance(error, TimeoutError) else Trouble.AWAY
            raise Unavailable(Dependency.RELAY, type(error).__name__, trouble, which=relay.name) from error
