"""The function app, as a relay calls it: attach, heartbeat, detach (docs/protocol.md), signed in as an application."""

import json
from collections.abc import Sequence
from typing import Any

import aiohttp
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError

from shared.domain.grant import Grant
from shared.domain.refusals import Code, Refusal, refuse
from shared.ports import Admission, Unavailable

TIMEOUT = aiohttp.ClientTimeout(total=10)
_WHAT = "function app"
_SERVER_FAULT = 500


class ControlPlaneHttp:
    """ports.ControlPlane. `address` ends in /api; `audience` is the API's application id URI."""

    def __init__(self, relay: str, address: str, audience: str, credential: AsyncTokenCredential) -> None:
        self._relay = relay
        self._address = address.rstrip("/")
        self._scope = f"{audience}/.default"
        self._credential = credential
        self._session: aiohttp.ClientSession | None = None

    async def attach(self, grant: Grant) -> Admission | Refusal:
        answer = await self._post("attach", {"relay": self._relay, "grant": grant.claims()})
        if isinstance(answer, Refusal):
            return answer
        try:
            return Admission(str(answer["session"]), int(answer["idleSeconds"]), int(answer["sessionSeconds"]))
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable(_WHAT, "its admission cannot be read") from error

    async def heartbeat(self, live: Sequence[Grant]) -> Sequence[tuple[str, str, str]]:
        sessions = [
            {"vm": g.vm.resource_id, "session": g.session, "generation": g.generation, "mode": g.mode.value}
            for g in live
        ]
        answer = await self._post("heartbeat", {"relay": self._relay, "sessions": sessions})
        if isinstance(answer, Refusal):
            raise Unavailable(_WHAT, f"refused a heartbeat: {answer.code.value}")
        return [(end["session"], end["code"], end["by"]) for end in answer["end"]]

    async def detach(self, grant: Grant, why: str, typed: int, printed: int) -> None:
        said = {
            "relay": self._relay, "vm": grant.vm.resource_id, "session": grant.session, "generation": grant.generation,
            "mode": grant.mode.value, "why": why, "typed": typed, "printed": printed,
        }  # fmt: skip
        answer = await self._post("detach", said)
        if isinstance(answer, Refusal):
            raise Unavailable(_WHAT, f"refused a detach: {answer.code.value}")

    async def keys(self) -> dict[str, Any]:
        """The JWKS of session and command tokens. Raises Unavailable."""
        try:
            async with self._http().get(f"{self._address}/keys") as answer:
                answer.raise_for_status()
                keys: dict[str, Any] = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unavailable(_WHAT, f"its keys cannot be had ({type(error).__name__})") from None
        return keys

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _post(self, call: str, body: dict[str, Any]) -> dict[str, Any] | Refusal:
        """The answer's JSON object ({} when it has none), or the refusal it carries. Raises Unavailable."""
        try:
            token = (await self._credential.get_token(self._scope)).token
            headers = {"Authorization": f"Bearer {token}"}
            async with self._http().post(f"{self._address}/relay/{call}", json=body, headers=headers) as answer:
                text = await answer.text()
                status = answer.status
        except (AzureError, aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(_WHAT, f"{call} did not get through ({type(error).__name__})") from None
        said = _json(text)
        if answer.ok:
            return said
        refusal = _refusal(said)
        if refusal is None or (status >= _SERVER_FAULT and not refusal.retryable):
            raise Unavailable(_WHAT, f"answered {status} to {call}")
        return refusal

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        return self._session


def _json(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text or "{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _refusal(said: dict[str, Any]) -> Refusal | None:
    """The error envelope as a value; None when it is not one of ours."""
    match said:
        case {"error": {"code": str(code), "message": str(message)}} if code in Code:
            return refuse(Code(code), because=message)
        case _:
            return None
