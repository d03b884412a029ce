"""Entra ID that throttles, is silent or breaks: told as Entra's trouble, not as that of the service that was asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dev.demo import GRACE
from shared.access.azure.credential import EntraCredential
from shared.base import azure_troubles
from shared.base.ports import Trouble, Unavailable
from shared.base.refusals import Code, Refusal
from tests.contract.arm import Arm, vm
from tests.dev.local_azure import LocalAzure, served


class Entra:
    """A token endpoint that answers as it is told, in place of the stack's own."""

    def __init__(self) -> None:
        self.answer: Callable[[], Response] = lambda: Response(status_code=500)
        self.silent = False
        self.asked = 0

    async def token(self, _: Request) -> Response:
        self.asked += 1
        if self.silent:
            await asyncio.sleep(30)
        return self.answer()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_troubles, "BACKOFF_SECONDS", 0.01)


@pytest.fixture
async def failing(azure: LocalAzure, monkeypatch: pytest.MonkeyPatch, hasty: None) -> AsyncIterator[tuple[Arm, Entra]]:
    """ARM as ever; the authority of on-behalf-of is another one."""
    del hasty
    from dev.entra.listen import bind  # noqa: PLC0415 - beside what it is for

    entra, at = Entra(), bind(0)
    app = Starlette(routes=[Route("/{path:path}", entra.token, methods=["GET", "POST"])])
    async with served(app, at, azure.stack.certificate):
        arm = Arm(azure, read_seconds=3.0)
        settings = arm.access._settings
        changed = {"authority": f"https://localhost:{at.getsockname()[1]}"}
        monkeypatch.setattr(arm.access, "_settings", _Elsewhere(settings, changed))
        yield arm, entra
        await arm.close()


class _Elsewhere:
    """Settings, some of which are others."""

    def __init__(self, settings: Any, changed: dict[str, Any]) -> None:
        self._settings, self._changed = settings, changed

    def __getattr__(self, name: str) -> Any:
        return self._changed[name] if name in self._changed else getattr(self._settings, name)


def throttled() -> Response:
    said = {"error": "temporarily_unavailable", "error_description": "AADSTS90055: too many requests"}
    return JSONResponse(said, 429, {"Retry-After": "21"})


async def test_throttling_is_entras_with_its_number_and_is_not_waited_for(failing: tuple[Arm, Entra]) -> None:
    arm, entra = failing
    entra.answer = throttled
    with pytest.raises(Unavailable) as caught:
        await arm.vms.find(arm.user(GRACE), vm("web-01"))
    assert (caught.value.what, caught.value.trouble, caught.value.retry_after) == ("entra", Trouble.THROTTLED, 21)
    assert entra.asked == 1


async def test_silence_is_entras(failing: tuple[Arm, Entra]) -> None:
    arm, entra = failing
    entra.silent = True
    with pytest.raises(Unavailable) as caught:
        await arm.vms.find(arm.user(GRACE), vm("web-01"))
    assert (caught.value.what, caught.value.trouble) == ("entra", Trouble.SILENT)


@pytest.mark.parametrize("status", [500, 503])
async def test_breakage_is_entras(failing: tuple[Arm, Entra], status: int) -> None:
    arm, entra = failing
    entra.answer = lambda: JSONResponse({"error": "server_error"}, status)
    with pytest.raises(Unavailable) as caught:
        await arm.vms.find(arm.user(GRACE), vm("web-01"))
    assert (caught.value.what, caught.value.trouble) == ("entra", Trouble.AWAY)


async def test_a_reasoned_no_stays_one(failing: tuple[Arm, Entra]) -> None:
    arm, entra = failing
    entra.answer = lambda: JSONResponse({"error": "invalid_grant", "error_description": "AADSTS500133"}, 400)
    refusal = await arm.vms.find(arm.user(GRACE), vm("web-01"))
    assert isinstance(refusal, Refusal)
    assert refusal.code is Code.CALLER_NOT_AUTHENTICATED


async def test_a_credential_is_asked_through_both_of_its_doors(arm: Arm) -> None:
    credential = EntraCredential(arm.service)
    async with credential as same:
        scope = f"{arm.access.service.arm}/.default"
        assert (await same.get_token(scope)).token == (await same.get_token_info(scope)).token
