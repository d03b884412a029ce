"""Commands to relays over real HTTP, verified as a relay verifies them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dev.entra.listen import bind
from shared.access.commands import Command
from shared.base import correlation, time_limit
from shared.base.archive_progress import RecordedLast
from shared.base.http_json import Http
from shared.base.ports import Trouble, Unavailable
from shared.base.refusals import Code, refuse
from shared.base.system_clock import SystemClock
from shared.base.time_limit import TimeLimit
from shared.session.http.relay_control import COMMAND_LEAST_SECONDS, RelayControl
from shared.session.keys.jwt_tokens import JwtTokens
from shared.session.keys.pem_key_ring import PemKeyRing
from shared.session.ports import Relay
from tests.dev.local_azure import served
from tests.fakes import VM

KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
TOKENS = JwtTokens(PemKeyRing(PEM, "SESSION_KEY"), "http://issuer", SystemClock())


class Control:
    """A relay's control address."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.correlations: list[str | None] = []
        self.answer = Response(status_code=204)
        self.late = asyncio.Event()
        self.late.set()

    async def hear(self, request: Request) -> Response:
        body, token = await request.body(), request.headers["authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, KEY.public_key(), ["ES256"], audience="relay:r0", issuer="http://issuer")
        assert claims["body"] == hashlib.sha256(body).hexdigest()
        self.correlations.append(request.headers.get("x-ms-correlation-request-id"))
        self.heard.append((request.path_params["what"], await request.json()))
        await self.late.wait()
        return self.answer


@pytest.fixture
def control() -> Control:
    return Control()


@pytest.fixture
async def relays(control: Control) -> AsyncIterator[RelayControl]:
    at, http = bind(0), Http()
    app = Starlette(routes=[Route("/control/{what}", control.hear, methods=["POST"])])
    async with served(app, at):
        yield RelayControl([Relay("r0", "ws://x", f"http://127.0.0.1:{at.getsockname()[1]}")], TOKENS, http)
        await http.close()


async def test_commands_are_signed_over_their_bytes(relays: RelayControl, control: Control) -> None:
    assert await relays.fence(VM, 3, "Ada")
    assert await relays.end(VM, "sid", "SessionEnded", "Ada")
    assert control.heard == [
        ("fence", {"vm": VM.resource_id, "generation": 3, "by": "Ada"}),
        ("end", {"vm": VM.resource_id, "session": "sid", "code": "SessionEnded", "by": "Ada"}),
    ]


async def test_acts_say_what_by_whom_and_with_which_keys(relays: RelayControl, control: Control) -> None:
    assert await relays.command(VM, Command.SYSRQ, "reisub", "Ada") is None
    assert await relays.note(VM, Command.RESTART, "Ada")
    assert control.heard == [
        ("command", {"vm": VM.resource_id, "command": "sysrq", "keys": "reisub", "by": "Ada"}),
        ("note", {"vm": VM.resource_id, "act": "restart", "by": "Ada"}),
    ]


@pytest.mark.parametrize("code", [Code.CONSOLE_NOT_OPEN, Code.CONSOLE_FAULT, Code.GATEWAY_TIMEOUT])
async def test_an_act_that_was_not_done_is_the_relays_refusal(
    relays: RelayControl, control: Control, code: Code
) -> None:
    said = refuse(code)
    control.answer = JSONResponse({"error": {"code": code.value, "message": said.message}}, said.status)
    refusal = await relays.command(VM, Command.NMI, "", "Ada")
    assert refusal is not None
    assert (refusal.code, refusal.message) == (code, said.message)


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=503), JSONResponse({}), JSONResponse([], 502), Response("{", 409),
        JSONResponse({"error": {"code": "CallerNotAuthenticated", "message": ""}}, 401),
        JSONResponse({"error": {"code": "ConsoleNotOpen", "message": ""}}, 500),
    ],
)  # fmt: skip
async def test_an_act_whose_answer_cannot_be_understood_is_unavailable_and_not_repeated(
    relays: RelayControl, control: Control, answer: Response
) -> None:
    control.answer = answer
    with pytest.raises(Unavailable, match="relay r0"):
        await relays.command(VM, Command.RESET, "", "Ada")
    assert len(control.heard) == 1
    assert not await relays.note(VM, Command.STOP, "Ada")


async def test_the_request_that_a_command_is_part_of_is_named(relays: RelayControl, control: Control) -> None:
    await relays.fence(VM, 3, "Ada")
    correlation.current.set("5b5c0000-0000-4000-8000-0000000000aa")
    await relays.fence(VM, 3, "Ada")
    assert control.correlations == [None, "5b5c0000-0000-4000-8000-0000000000aa"]


@pytest.mark.parametrize("allow", [True, False])
async def test_a_question_is_answered(relays: RelayControl, control: Control, allow: bool) -> None:  # noqa: FBT001
    control.answer = JSONResponse({"allow": allow})
    assert await relays.ask(VM, 3, "Ada", 20) is allow


@pytest.mark.parametrize(
    "answer", [Response(status_code=503), JSONResponse({"allow": "yes"}), JSONResponse([]), Response("{", 200)]
)
async def test_nonsense_is_no_consent(relays: RelayControl, control: Control, answer: Response) -> None:
    control.answer = answer
    with pytest.raises(Unavailable, match="relay r0"):
        await relays.ask(VM, 3, "Ada", 20)
    assert not await relays.fence(VM, 3, "Ada")


async def test_silence_of_the_relay_itself_is_no_consent(relays: RelayControl, control: Control) -> None:
    control.late.clear()
    with pytest.raises(Unavailable, match="relay r0"):
        await relays.ask(VM, 3, "Ada", -4.9)
    control.late.set()


async def test_a_relay_that_is_away_hears_nothing_and_raises_nothing() -> None:
    http = Http()
    away = RelayControl([Relay("r0", "ws://x", "http://127.0.0.1:1")], TOKENS, http)
    assert not await away.fence(VM, 1, "Ada")
    await http.close()


def test_every_vm_has_one_relay() -> None:
    shards = [Relay(f"r{number}", "ws://x", "http://x") for number in range(3)]
    relays = RelayControl(shards, TOKENS, Http())
    assert relays.of(VM) in shards
    assert relays.of(VM) == relays.of(replace(VM, name=VM.name.upper()))


async def test_what_a_relay_recorded_last_is_asked_for(relays: RelayControl, control: Control) -> None:
    control.answer = JSONResponse({"epoch": "e1", "sequence": 4, "time": 1.5})
    assert await relays.recorded_last(VM) == RecordedLast("e1", 4, 1.5)
    control.answer = JSONResponse({})
    assert await relays.recorded_last(VM) is None
    assert control.heard == [("recorded", {"vm": VM.resource_id})] * 2


@pytest.mark.parametrize(
    "answer", [Response(status_code=404), JSONResponse([]), JSONResponse({"epoch": 1})], ids=range(3)
)
async def test_a_relay_that_does_not_say_what_it_recorded_is_unavailable(
    relays: RelayControl, control: Control, answer: Response
) -> None:
    control.answer = answer
    with pytest.raises(Unavailable):
        await relays.recorded_last(VM)


async def test_a_relay_that_says_nothing_costs_a_request_its_time_but_a_person_is_waited_for(
    relays: RelayControl, control: Control
) -> None:
    control.late.clear()
    before = time_limit.current.set(TimeLimit(0.3))
    assert not await relays.fence(VM, 3, "Ada")
    with pytest.raises(Unavailable) as told:
        await relays.recorded_last(VM)
    assert told.value.trouble is Trouble.LATE
    time_limit.current.set(TimeLimit(0.3))
    answering = asyncio.create_task(relays.ask(VM, 1, "Ada", 60.0))
    await asyncio.sleep(0.6)  # longer than the request has
    control.answer = JSONResponse({"allow": True})
    control.late.set()
    assert await answering, "thinking it over is no waiting for a service"
    time_limit.current.reset(before)


async def test_a_command_for_which_little_time_is_left_is_not_sent(relays: RelayControl, control: Control) -> None:
    before = time_limit.current.set(TimeLimit(COMMAND_LEAST_SECONDS - 0.1))
    with pytest.raises(Unavailable) as told:
        await relays.command(VM, Command.NMI, "", "Ada")
    assert (told.value.trouble, control.heard) == (Trouble.LATE, [])
    time_limit.current.reset(before)
