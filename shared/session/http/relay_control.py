"""Calls the control address of relays: fence, end, ask, commands. Every call is signed over its exact bytes."""

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
"""Added to the time that the writer has to answer."""
COMMAND_SECONDS = 7.0
"""The relay waits for the VM's gateway, and answers itself if that does not (shared/console/serial/commands.py)."""
COMMAND_LEAST_SECONDS = 2.0
"""A command is done even if the relay's answer comes too late. So it is not begun if less time is left."""


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
        """Asks the writer to leave. Raises Unavailable if the relay cannot be reached: then nobody agreed."""
        payload = {"generation": generation, "by": by, "seconds": seconds}
        with time_limit.put_off(seconds):
            status, answer = await self._call(vm, "ask", payload, seconds + _ROUND_TRIP_SECONDS)
        if status != _OK or not isinstance(answer, dict) or not isinstance(answer.get("allow"), bool):
            raise Unavailable(Dependency.RELAY, f"answered {status} to a question", which=self.of(vm).name)
        return bool(answer["allow"])

    async def command(self, vm: VmId, act: Command, keys: str, by: str) -> Refusal | None:
        """Sends a command, without retries: the first call may have reset the VM. Raises Unavailable."""
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
        """Calls a relay within `seconds`, or what the request has left if that is less. Raises Unavailable."""
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
