"""The function app as a relay calls it, over real HTTP with scripted answers."""

from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from azure.core.exceptions import ClientAuthenticationError

from shared.access.policy import Typing
from shared.access.recording_settings import RecordingSettings
from shared.base import correlation
from shared.base.http_json import Http
from shared.base.ports import Unavailable
from shared.base.record_end import RecordEnd
from shared.base.refusals import Code, Refusal, refuse
from shared.session.grant import Grant, Mode
from shared.session.http import control_plane
from shared.session.http.control_plane import ControlPlaneHttp
from shared.session.ports import Admission, Beat
from tests.relay.stage import VM

GRANT = Grant("j", "s1", "t.o", "Ada", VM, Mode.WRITE, 7, "relay:r0", "http://issuer", 100, 130)
WRONG_VM = {"end": [], "keep": [], "capture": ["/not/a/vm"]}
ABOUT = {"vm": VM.resource_id, "session": "s1", "generation": 7, "mode": "write"}


class Credential:
    error: Exception | None = None

    async def get_token(self, scope: str) -> SimpleNamespace:
        assert scope == "api://x/.default"
        if self.error is not None:
            raise self.error
        return SimpleNamespace(token="apptoken")


class FunctionApp:
    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.correlations: list[str | None] = []
        self.answers: list[Callable[[], web.Response]] = []
        self.credential = Credential()
        self.plane: ControlPlaneHttp

    async def hear(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer apptoken"
        self.correlations.append(request.headers.get("x-ms-correlation-request-id"))
        self.heard.append((request.path, await request.json()))
        return self.answers.pop(0)()

    def says(self, said: Any = None, status: int = 200) -> None:
        self.answers.append(
            lambda: web.Response(status=status) if said is None else web.json_response(said, status=status)
        )

    def says_plainly(self, text: str, status: int) -> None:
        self.answers.append(lambda: web.Response(text=text, status=status))

    def refuses(self, refusal: Refusal) -> None:
        self.says({"error": {"code": refusal.code.value, "message": refusal.message, "target": "t"}}, refusal.status)


@pytest.fixture
async def app(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FunctionApp]:
    monkeypatch.setattr(control_plane, "_FIRST_WAIT", 0.001)
    function_app, http = FunctionApp(), Http()
    server = web.Application()
    server.router.add_post("/api/relay/{call}", function_app.hear)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/api"
    function_app.plane = ControlPlaneHttp(address, "api://x", "r0", function_app.credential, http)
    try:
        yield function_app
    finally:
        await http.close()
        await runner.cleanup()


async def test_an_attach_shows_the_grant_and_brings_the_limits(app: FunctionApp) -> None:
    keep = RecordingSettings(Typing.MASKED, (r"\d{16}",))
    app.says({"session": "s1", "idleSeconds": 900, "sessionSeconds": 28800, "keep": keep.to_json()})
    assert await app.plane.attach(GRANT) == Admission("s1", 900, 28800, keep)
    assert app.heard == [("/api/relay/attach", {"relay": "r0", "grant": GRANT.claims()})]


@pytest.mark.parametrize("code", [Code.TOKEN_REPLAYED, Code.TOKEN_EXPIRED, Code.SESSION_SUPERSEDED])
async def test_a_refusal_comes_back_as_the_value_it_was(app: FunctionApp, code: Code) -> None:
    app.refuses(refuse(code))
    refusal = await app.plane.attach(GRANT)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.message, refusal.target) == (code, refuse(code).message, "t")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"no": "error"}, 500), ("text", 502), ({"session": "s1"}, 200),
        ({"session": "s1", "idleSeconds": 1, "sessionSeconds": 1}, 200),
        ({"session": "s1", "idleSeconds": 1, "sessionSeconds": 1, "keep": {"typed": "x", "mask": []}}, 200),
        ({"error": {"code": "New", "message": ""}}, 409),
        ({"error": {"code": "CallerNotPermitted", "message": "no role"}}, 403), (None, 200),
    ],
)  # fmt: skip
async def test_an_attach_that_cannot_be_understood_is_unavailable(app: FunctionApp, said: Any, status: int) -> None:
    app.says(said, status)
    with pytest.raises(Unavailable):
        await app.plane.attach(GRANT)
    assert len(app.heard) == 1, "an attach is never repeated"


async def test_an_attach_that_the_host_turned_away_unseen_is_tried_again(app: FunctionApp) -> None:
    """429 without a body is the host's, X-FUNCTION-SCALEOUT beside it (seen on host 4.1037)."""
    keep = RecordingSettings(Typing.COUNTED, ())
    for _ in range(2):
        app.says(status=429)
    app.says({"session": "s1", "idleSeconds": 900, "sessionSeconds": 28800, "keep": keep.to_json()})
    assert await app.plane.attach(GRANT) == Admission("s1", 900, 28800, keep)
    for _ in range(control_plane.TRIES):
        app.says(status=429)
    with pytest.raises(Unavailable):
        await app.plane.attach(GRANT)
    assert not app.answers, "it is tried so often and no more"


async def test_an_attach_that_comes_while_the_host_starts_is_tried_again(app: FunctionApp) -> None:
    """Azure/azure-functions-host, HostAvailabilityCheckMiddleware: after 30 s of waiting, and no function saw it."""
    app.says_plainly("Function host is not running.", 503)
    app.refuses(refuse(Code.TOKEN_EXPIRED))
    assert isinstance(await app.plane.attach(GRANT), Refusal)
    app.says_plainly("The service is unavailable.", 503)
    with pytest.raises(Unavailable, match="answered 503"):
        await app.plane.attach(GRANT)
    assert len(app.heard) == 3


@pytest.mark.parametrize("status", [404, 500, 502, 503])
async def test_what_the_host_answers_itself_is_unavailable_and_an_attach_is_not_repeated(
    app: FunctionApp, status: int
) -> None:
    app.says(status=status)
    with pytest.raises(Unavailable):
        await app.plane.attach(GRANT)
    assert len(app.heard) == 1


async def test_our_own_429_is_a_refusal_and_not_tried_again(app: FunctionApp) -> None:
    app.refuses(refuse(Code.TOO_MANY_REQUESTS))
    refusal = await app.plane.attach(GRANT)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, len(app.heard)) == (Code.TOO_MANY_REQUESTS, 1)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_detach_is_told_again_after_what_the_host_answers_in_passing(app: FunctionApp, status: int) -> None:
    app.says(status=status)
    app.says(status=204)
    await app.plane.detach(GRANT, "Goodbye", 3, 4)
    assert len(app.heard) == 2


async def test_one_heartbeat_keeps_all_and_brings_the_endings(app: FunctionApp) -> None:
    keep = RecordingSettings(Typing.ECHOED, ())
    app.says(
        {
            "end": [{"session": "s1", "code": "AccessRevoked", "by": None}],
            "again": {"s1": 1_800_000_040},
            "keep": [{"vm": VM.resource_id, **keep.to_json()}],
            "capture": [VM.resource_id],
        }
    )
    assert await app.plane.heartbeat([GRANT]) == Beat([("s1", "AccessRevoked", "")], {VM.console: keep}, [VM])
    assert app.heard == [("/api/relay/heartbeat", {"relay": "r0", "sessions": [{**ABOUT, "again": 0}]})]
    app.says({"end": [], "again": {}, "keep": None, "capture": None})
    assert await app.plane.heartbeat([GRANT]) == Beat([], None, None)
    assert app.heard[-1][1]["sessions"] == [{**ABOUT, "again": 1_800_000_040}], "it is told what it said last"
    for said, status in (
        ({"end": [{}]}, 200),
        ({"x": 1}, 200),
        (None, 503),
        (WRONG_VM, 200),
        ({"end": []}, 200),
        ({"end": [], "again": []}, 200),
    ):
        app.says(said, status)
        with pytest.raises(Unavailable):
            await app.plane.heartbeat([GRANT])


async def test_how_a_record_ends_comes_byte_for_byte(app: FunctionApp) -> None:
    app.says({"epoch": "e1", "printed": "/wBhDQo=", "cut": True})
    assert await app.plane.record_end(VM) == RecordEnd("e1", b"\xff\x00a\r\n", cut=True)
    assert app.heard == [("/api/relay/record-end", {"relay": "r0", "vm": VM.resource_id})]


async def test_an_answer_that_says_nothing_of_a_records_end_is_none(app: FunctionApp) -> None:
    for said, status in (({}, 200), ([], 200), ({"epoch": "e", "printed": "?", "cut": False}, 200), (None, 404)):
        app.says(said, status)
        with pytest.raises(Unavailable):
            await app.plane.record_end(VM)


async def test_the_request_that_a_call_is_part_of_is_named(app: FunctionApp) -> None:
    for known in ("", "5b5c0000-0000-4000-8000-0000000000aa"):
        correlation.current.set(known)
        app.says(status=204)
        await app.plane.detach(GRANT, "Goodbye", 3, 4)
    assert app.correlations == [None, "5b5c0000-0000-4000-8000-0000000000aa"]


async def test_a_detach_is_repeated_until_it_is_heard(app: FunctionApp) -> None:
    app.says(status=503)
    app.says(status=204)
    await app.plane.detach(GRANT, "Goodbye", 3, 4)
    expected = {"relay": "r0", **ABOUT, "why": "Goodbye", "typed": 3, "printed": 4}
    assert app.heard == [("/api/relay/detach", expected)] * 2


async def test_a_detach_gives_up_in_the_end_and_at_once_where_repeating_is_no_use(app: FunctionApp) -> None:
    for _ in range(control_plane.TRIES):
        app.says(status=503)
    with pytest.raises(Unavailable):
        await app.plane.detach(GRANT, "Goodbye", 3, 4)
    app.heard.clear()
    app.says(status=400)
    with pytest.raises(Unavailable):
        await app.plane.detach(GRANT, "Goodbye", 3, 4)
    assert len(app.heard) == 1


async def test_a_relay_that_cannot_sign_in_says_so_without_the_reason(app: FunctionApp) -> None:
    app.credential.error = ClientAuthenticationError("secret details")
    with pytest.raises(Unavailable, match=r"^entra: ClientAuthenticationError$"):
        await app.plane.attach(GRANT)
    with pytest.raises(Unavailable):
        await app.plane.detach(GRANT, "Goodbye", 3, 4)


async def test_a_function_app_that_is_away_is_unavailable() -> None:
    http = Http()
    plane = ControlPlaneHttp("http://127.0.0.1:1/api", "api://x", "r0", Credential(), http)
    with pytest.raises(Unavailable):
        await plane.heartbeat([GRANT])
    await http.close()
