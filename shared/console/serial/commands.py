"""Sends reset, NMI and SysRq through the serial gateway of an open port.

Each is a POST beside the port's own address - https for wss, /adminCommand/{act} for /client - with the service's
token as a bearer token, where 200 means done (read in Microsoft's public command-line client).
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import aiohttp

from shared.access.commands import Command
from shared.base.http_json import Http
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId

SECONDS = 5.0
"""Less than whoever asks the relay for it waits (relay_control.COMMAND_SECONDS)."""
_UNBOUNDED = aiohttp.ClientTimeout()
_OK = 200
_CLIENT = "/client"


class GatewayCommands:
    """The commands of one open port. `token` returns a token that is valid now: a console outlives any one token."""

    def __init__(self, vm: VmId, address: str, token: Callable[[], Awaitable[str]], http: Http) -> None:
        self._vm, self._token, self._http = vm, token, http
        self._base = address.replace("ws", "http", 1).removesuffix(_CLIENT) + "/adminCommand"

    async def send(self, act: Command, keys: str) -> Refusal | None:
        """Sends a command once. It is not repeated, since a call without an answer may have been carried out."""
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - slow to import

        payload: dict[str, object] = {
            "command": act.value,
            "requestId": str(uuid.uuid4()),
            "commandParameters": _parameters(act, keys),
        }
        try:
            async with asyncio.timeout(SECONDS):
                done = await self._post(act, payload)
        except TimeoutError:
            return self._refuse(Code.GATEWAY_TIMEOUT, act)
        except (aiohttp.ClientError, AzureError):  # their texts may quote the address, or the sign-in's answer
            return self._refuse(Code.CONSOLE_FAULT, act)
        return None if done else self._refuse(Code.CONSOLE_FAULT, act)

    async def _post(self, act: Command, payload: dict[str, object]) -> bool:
        headers = {"Authorization": f"Bearer {await self._token()}"}
        async with self._http.session.post(
            f"{self._base}/{act.value}", json=payload, headers=headers, timeout=_UNBOUNDED, allow_redirects=False
        ) as answer:
            return answer.status == _OK

    def _refuse(self, code: Code, act: Command) -> Refusal:
        words = f"The VM's serial gateway did not do the {act.value}." if code is Code.CONSOLE_FAULT else None
        return refuse(code, because=words, target=self._vm.resource_id)


def _parameters(act: Command, keys: str) -> dict[str, str]:
    return {"SysRqCommand": keys} if act is Command.SYSRQ else {}
