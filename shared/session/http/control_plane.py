"""A relay's calls to the function app: attach, heartbeat, detach, and the end of a record."""

import asyncio
import base64
import json
from collections.abc import Sequence
from typing import Any

import aiohttp

from shared.access.recording_settings import RecordingSettings
from shared.base.http_json import Http, correlated, refusal_of
from shared.base.ports import Dependency, Unavailable
from shared.base.record_end import RecordEnd
from shared.base.refusals import Refusal
from shared.base.vm import VmId
from shared.session.grant import Grant
from shared.session.http.heartbeat_shares import Shares, about
from shared.session.ports import Admission, Beat

WHAT = Dependency.CONTROL_PLANE
ATTACH_SECONDS = 20.0
"""The function app may have to start first."""
CALL_SECONDS = 10.0
TRIES = 4
ANSWER_BYTES = 4 << 20
"""The longest answer of the function app (functions/http/responses.py)."""
_FIRST_WAIT = 0.5
NOT_RUNNING = "Function host is not running."
"""Body of a host's answers while it starts (Azure/azure-functions-host, HostAvailabilityCheckMiddleware)."""
_OK, _NO_CONTENT, _BUSY, _SERVER_ERROR, _UNAVAILABLE = 200, 204, 429, 500, 503


class ControlPlaneHttp:
    """A shared.session.ports.ControlPlane. `credential` comes from azure-identity; `api` ends in /api."""

    def __init__(self, api: str, audience: str, relay: str, credential: Any, http: Http) -> None:
        self._api, self._scope, self._relay = api.rstrip("/"), f"{audience}/.default", relay
        self._credential, self._http = credential, http
        self._shares = Shares()

    async def attach(self, grant: Grant) -> Admission | Refusal:
        """Attaches a session. It is retried only if no function saw the call: otherwise the token may be used already.

        Raises Unavailable.
        """
        for attempt in range(TRIES):
            status, answer = await self._call("attach", {"grant": grant.claims()}, ATTACH_SECONDS)
            if not _turned_away(status, answer) or attempt == TRIES - 1:
                break
            await asyncio.sleep(_FIRST_WAIT * 2**attempt)
        if status != _OK:
            return refusal_of(WHAT, status, answer)
        try:
            recording = RecordingSettings.from_json(answer["keep"])
            return Admission(
                str(answer["session"]), int(answer["idleSeconds"]), int(answer["sessionSeconds"]), recording
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable(WHAT, "its admission cannot be read") from error

    async def heartbeat(self, live: Sequence[Grant]) -> Beat:
        share, body = self._shares.next(live)
        status, answer = await self._call("heartbeat", body, CALL_SECONDS)
        if status != _OK:
            raise Unavailable(WHAT, f"answered {status} to a heartbeat")
        try:
            return self._shares.heard(share, answer)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unavailable(WHAT, "its answer to a heartbeat cannot be read") from error

    async def record_end(self, vm: VmId) -> RecordEnd:
        status, answer = await self._call("record-end", {"vm": vm.resource_id}, CALL_SECONDS)
        if status != _OK:
            raise Unavailable(WHAT, f"answered {status} to how a record ends")
        try:
            printed = base64.b64decode(answer["printed"], validate=True)
            return RecordEnd(str(answer["epoch"]), printed, bool(answer["cut"]))
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable(WHAT, "how a record ends cannot be read") from error

    async def detach(self, grant: Grant, why: str, typed: int, printed: int) -> None:
        """Reports the end of a session. It is retried: a session ends once, however often it is reported.

        Raises Unavailable.
        """
        body = {**about(grant), "why": why, "typed": typed, "printed": printed}
        for attempt in range(TRIES):
            try:
                status, answer = await self._call("detach", body, CALL_SECONDS)
            except Unavailable:
                if attempt == TRIES - 1:
                    raise
            else:
                if status == _NO_CONTENT:
                    return
                passing = status >= _SERVER_ERROR or _turned_away(status, answer)
                if not passing or attempt == TRIES - 1:
                    raise Unavailable(WHAT, f"answered {status} to a detach")
            await asyncio.sleep(_FIRST_WAIT * 2**attempt)

    async def _call(self, what: str, body: dict[str, Any], seconds: float) -> tuple[int, Any]:
        """Returns the status and the JSON, or the text of a body that is not JSON. Raises Unavailable."""
        headers = {"Authorization": f"Bearer {await self._token()}", **correlated()}
        try:
            async with self._http.session.post(
                f"{self._api}/relay/{what}", json={"relay": self._relay, **body}, headers=headers,
                timeout=aiohttp.ClientTimeout(total=seconds), allow_redirects=False,
            ) as answer:  # fmt: skip
                return answer.status, _read(await _bounded(answer))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unavailable(WHAT, type(error).__name__) from error

    async def _token(self) -> str:
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - slow to import

        try:
            return str((await self._credential.get_token(self._scope)).token)
        except AzureError as error:  # its text may quote the answer of the sign-in service
            raise Unavailable(Dependency.ENTRA, type(error).__name__) from None


def _read(body: bytes) -> Any:
    """Parses a body. One that is not JSON, such as the host's own, is returned as text."""
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode(errors="replace")


def _turned_away(status: int, answer: Any) -> bool:
    """Returns True if no function saw the request (docs/errors.md): the host has too many requests, which is a 429
    without a body, or does not run yet. Our own 429 and 503 have the error envelope.
    """
    return (status == _BUSY and answer is None) or (status == _UNAVAILABLE and answer == NOT_RUNNING)


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    """Reads a body. Raises ValueError if it is longer than any answer of ours."""
    text = bytearray()
    async for piece in answer.content.iter_any():
        text += piece
        if len(text) > ANSWER_BYTES:
            raise ValueError("the answer is too long")
    return bytes(text)
