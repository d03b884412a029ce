"""The API as the campaign calls it: an application with its own identity, as an automation would be."""

import json
import time
from typing import Any

import httpx

from dev import demo
from dev.stack import Port, Stack

_RENEW_SECONDS = 600.0
_VERIFY_SECONDS = 120.0


class Service:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.http = httpx.AsyncClient(base_url=f"{stack.http(Port.FUNCTIONS)}/api", timeout=20)
        self._token, self._until = "", 0.0

    async def close(self) -> None:
        await self.http.aclose()

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Raises httpx.HTTPError, also for an answer that is no success."""
        headers = {"Authorization": f"Bearer {await self._signed_in()}"}
        answer = await self.http.request(method, path, headers=headers, **options)
        return answer.raise_for_status()

    async def ask(self, path: str) -> httpx.Response:
        """Whatever it is answered with. Raises httpx.TransportError, httpx.HTTPStatusError of the sign-in."""
        return await self.http.get(path, headers={"Authorization": f"Bearer {await self._signed_in()}"})

    async def open_session(self, vm: demo.VirtualMachine) -> dict[str, Any]:
        answer = await self.call("POST", f"{vm.id}/serialConsole/sessions", json={"reason": "campaign"})
        session: dict[str, Any] = answer.json()
        return session

    async def transcript(self, vm: demo.VirtualMachine, start: int = 0) -> bytes:
        """All that was printed from byte `start` on, in pieces as the API gives them."""
        pieces: list[bytes] = []
        while True:
            answer = await self.call("GET", f"{vm.id}/serialConsole/transcript?format=raw&offset={start}")
            if not answer.content:
                return b"".join(pieces)
            pieces.append(answer.content)
            start = int(answer.headers["x-console-offset-next"])

    async def transcript_end(self, vm: demo.VirtualMachine) -> int:
        answer = await self.call("GET", f"{vm.id}/serialConsole/transcript?format=raw&limit=1")
        return int(answer.headers["x-console-offset-end"])

    async def verification(self, vm: demo.VirtualMachine) -> dict[str, Any]:
        """Of all parts: what the last one says, with the findings of every one."""
        findings: list[Any] = []
        path = more = f"{vm.id}/serialConsole/transcript/verification"
        while True:
            said: dict[str, Any] = (await self.call("GET", more, timeout=_VERIFY_SECONDS)).json()
            findings += said["findings"]
            if said["next"] is None:
                return said | {"findings": findings, "complete": not findings}
            more = f"{path}?segment={said['next']}"

    async def checkpoints(self, vm: demo.VirtualMachine) -> str:
        """What was signed, and the keys: as shared.verify takes it."""
        path = more = f"{vm.id}/serialConsole/checkpoints"
        lines: list[str] = []
        while True:
            said: dict[str, Any] = (await self.call("GET", more)).json()
            lines += said["value"]
            if said["next"] is None:
                return json.dumps(said | {"value": lines})
            more = f"{path}?cursor={said['next']}"

    async def healthy(self) -> bool:
        try:
            return (await self.http.get("/health")).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    async def _signed_in(self) -> str:
        if time.monotonic() > self._until:
            application = demo.AUTOMATION
            form = {
                "grant_type": "client_credentials", "client_id": application.client,
                "client_secret": application.secret, "scope": f"{demo.API_URI}/.default",
            }  # fmt: skip
            address = f"{self._stack.http(Port.ENTRA_PAGE)}/{demo.TENANT}/oauth2/v2.0/token"
            answer = (await self.http.post(address, data=form)).raise_for_status()
            self._token, self._until = answer.json()["access_token"], time.monotonic() + _RENEW_SECONDS
        return self._token
