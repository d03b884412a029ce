"""The control address of each relay: fence, end, ask, acts. Every call is signed over its very bytes."""

import json
from collections.abc import Sequence
from typing import Any

import aiohttp

from shared.adapters.http_json import Http, correlated, refusal_of
from shared.domain.acts import Act
from shared.domain.archive_progress import RecordedLast
from shared.domain.refusals import Refusal
from shared.domain.sharding import owner
from shared.domain.vm import VmId
from shared.ports import Dependency, Relay, Tokens, Unavailable

_NO_CONTENT = 204
_OK = 200
_ROUND_TRIP_SECONDS = 5.0
"""Added to the time that the person who is asked has."""
COMMAND_SECONDS = 15.0
"""The relay waits for the VM's gateway, and answers itself when that does not."""


class RelayControl:
    def __init__(self, relays: Sequence[Relay], tokens: Tokens, http: Http) -> None:
        self._relays = {relay.name: relay for relay in relays}
        self._tokens, self._http = tokens, http

    def of(self, vm: VmId) -> Relay:
        return self._relays[owner(vm.console, list(self._relays))]

    async def fence(self, vm: VmId, generation: int, by: str) -> bool:
        return await self._told(vm, "fence", {"generation": generation, "by": by})

    async def end(self, vm: VmId, session: str, code: str, by: str) -> bool:
        return await self._told(vm, "end", {"session": session, "code": code, "by": by})

    async def ask(self, vm: VmId, generation: int, by: str, seconds: float) -> bool:
        """Raises Unavailable: nobody could be asked, so nothing was allowed."""
        said = {"generation": generation, "by": by, "seconds": seconds}
        status, answer = await self._call(vm, "ask", said, seconds + _ROUND_TRIP_SECONDS)
        if status != _OK or not isinstance(answer, dict) or not isinstance(answer.get("allow"), bool):
            raise Unavailable(Dependency.RELAY, f"answered {status} to a question", which=self.of(vm).name)
        return bool(answer["allow"])

    async def command(self, vm: VmId, act: Act, keys: str, by: str) -> Refusal | None:
        """Not repeated: the first call may have reset the VM."""
        status, answer = await self._call(
            vm, "command", {"command": act.value, "keys": keys, "by": by}, COMMAND_SECONDS
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

    async def note(self, vm: VmId, act: Act, by: str) -> bool:
        return await self._told(vm, "note", {"act": act.value, "by": by})

    async def _told(self, vm: VmId, what: str, said: dict[str, Any]) -> bool:
        try:
            status, _ = await self._call(vm, what, said, _ROUND_TRIP_SECONDS)
        except Unavailable:
            return False
        return status == _NO_CONTENT

    async def _call(self, vm: VmId, what: str, said: dict[str, Any], seconds: float) -> tuple[int, Any]:
        relay = self.of(vm)
        body = json.dumps({"vm": vm.resource_id, **said}).encode()
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
            raise Unavailable(Dependency.RELAY, type(error).__name__, which=relay.name) from error
