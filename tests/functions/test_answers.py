"""The triggers with a world of fakes: what becomes of results, refusals and breakage."""

import base64
import json
import logging
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import azure.functions as func
import pytest

from dev.stack import ROOT
from functions import relays, sessions, vms
from functions.health import _health
from functions.http.pipeline import RequestContext, Result, answer, answer_anybody, answer_stray
from functions.http.requests import BODY_BYTES
from functions.http.responses import SECURITY_HEADERS
from shared import wiring
from shared.access.policy import Typing
from shared.base.caller import Caller, CallerKind, Secret
from shared.base.ports import Dependency, Unavailable
from shared.base.refusals import TABLE, Code, Refusal, refuse
from shared.session.dependencies import Dependencies
from shared.session.grant import Mode
from shared.session.ports import Session
from tests.fakes import VM, FakeDependencies, everything, settings

STARTER = "fakes"


@pytest.fixture
def fakes() -> Iterator[FakeDependencies]:
    made = FakeDependencies()
    wiring.built[STARTER] = made.dependencies
    yield made
    del wiring.built[STARTER]


def request(body: Any = None, **route: str) -> func.HttpRequest:
    parts = {"subscription": VM.subscription, "group": VM.group, "name": VM.name}
    return func.HttpRequest(
        method="POST",
        url="http://localhost/api",
        headers={"Content-Type": "application/json"} if body is not None else {},
        route_params=parts | route,
        body=b"" if body is None else json.dumps(body).encode(),
    )


async def sent(work: Any, req: func.HttpRequest | None = None) -> func.HttpResponse:
    return await answer("test", req or request({}), STARTER, work)


def error(response: func.HttpResponse) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(response.get_body())["error"]
    return said


def answering(outcome: Result | Refusal | Exception) -> Any:
    async def work(_: RequestContext) -> Result | Refusal:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return work


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize("code", list(Code))
async def test_every_refusal_is_the_envelope_with_its_headers(code: Code) -> None:
    response = await sent(answering(refuse(code, target=VM.resource_id)))
    said, entry = error(response), TABLE[code]
    assert (response.status_code, said["code"], said["message"]) == (entry.status, code.value, entry.message)
    assert set(said) == {"code", "message", "target", "details", "innererror"}
    assert said["innererror"]["retryable"] is (entry.retry_after is not None)
    assert response.headers.get("Retry-After") == (str(entry.retry_after) if entry.retry_after else None)
    assert ("WWW-Authenticate" in response.headers) is (entry.status == 401)


@pytest.mark.usefixtures("fakes")
async def test_a_stronger_sign_in_is_a_claims_challenge() -> None:
    claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    response = await sent(answering(refuse(Code.MFA_REQUIRED, claims=claims)))
    challenge = response.headers["WWW-Authenticate"]
    assert 'error="insufficient_claims"' in challenge
    assert base64.b64decode(challenge.partition('claims="')[2].rstrip('"')).decode() == claims


@pytest.mark.usefixtures("fakes")
async def test_the_other_failed_checks_are_details() -> None:
    both = replace(refuse(Code.VM_NOT_RUNNING), details=(refuse(Code.BOOT_DIAGNOSTICS_DISABLED),))
    assert [each["code"] for each in error(await sent(answering(both)))["details"]] == ["BootDiagnosticsDisabled"]


@pytest.mark.usefixtures("fakes")
async def test_a_stronger_sign_in_that_is_not_the_first_thing_in_the_way_is_a_detail_only() -> None:
    stronger = refuse(Code.MFA_REQUIRED, claims="{}")
    response = await sent(answering(replace(refuse(Code.VM_NOT_RUNNING), details=(stronger,))))
    assert [each["code"] for each in error(response)["details"]] == ["MfaRequired"]
    assert "WWW-Authenticate" not in response.headers


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize(
    ("what", "code"),
    [
        (Dependency.RELAY, "RelayUnavailable"),
        (Dependency.ARM, "AzureUnavailable"),
        (Dependency.CONSOLE_LOCK, "LockUnavailable"),
    ],
)
async def test_what_does_not_answer_is_503_and_worth_another_try(what: Dependency, code: str) -> None:
    response = await sent(answering(Unavailable(what, "a secret address")))
    assert (response.status_code, error(response)["code"], response.headers["Retry-After"]) == (503, code, "5")
    assert b"secret" not in response.get_body()


def test_what_the_host_answers_itself_has_the_headers_of_our_answers() -> None:
    told = json.loads((ROOT / "host.json").read_text())["extensions"]["http"]
    assert told["customHeaders"] == SECURITY_HEADERS


@pytest.mark.usefixtures("fakes")
async def test_breakage_is_an_envelope_that_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    response = await sent(answering(RuntimeError("a secret")))
    said = error(response)
    assert (response.status_code, said["code"]) == (500, "InternalError")
    assert b"secret" not in response.get_body()
    assert said["innererror"]["correlationId"] in caplog.text


async def test_settings_that_are_missing_are_an_envelope_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SESSION_ISSUER", raising=False)
    wiring.settings.cache_clear()
    response = await answer("test", request(), "no world", answering(Result(None)))
    assert response.status_code == 500

    async def public(_: Dependencies) -> Result:
        return Result(None)

    assert (await answer_anybody("test", request(), "no world", public)).status_code == 500
    assert error(await answer_stray("test", request(), "no world"))["code"] == "NotFound"


async def test_one_line_says_who_did_what(fakes: FakeDependencies, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "serial_console.audit")
    await sent(sessions._open, request({"reason": "boot loop"}))
    said = json.loads(caplog.records[-1].message)
    assert set(said) == {
        "operation", "caller", "kind", "address", "vm", "outcome", "status", "mode", "session", "milliseconds",
        "correlationId",
    }  # fmt: skip
    assert (said["caller"], said["vm"], said["outcome"], said["status"]) == ("t1.ada", VM.resource_id, "OK", 201)
    fakes.callers.answer = refuse(Code.CALLER_NOT_AUTHENTICATED)
    await sent(sessions._open)
    said = json.loads(caplog.records[-1].message)
    assert (said["caller"], said["outcome"]) == (None, "CallerNotAuthenticated")


def application(*roles: str) -> Caller:
    return Caller("t1", "app", "automation", CallerKind.APPLICATION, frozenset(roles), Secret(""))


async def test_an_automation_opens_what_its_azure_roles_allow(fakes: FakeDependencies) -> None:
    fakes.callers.answer = application("Console.Automation")
    assert (await sent(sessions._open)).status_code == 201
    fakes.rights.lacking["app"] = everything()
    assert error(await sent(sessions._open))["code"] == "VmNotFound"
    fakes.callers.answer = application("Relay.Attach")
    assert error(await sent(sessions._open))["code"] == "CallerNotPermitted"


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize("part", ["subscription", "group", "name", "scale_set"])
@pytest.mark.parametrize("trick", ["../x", "a/b", "a%2Fb", "", ".", "a\x00", "\u212a"])
async def test_decoded_tricks_in_an_address_are_refused(part: str, trick: str) -> None:
    response = await sent(vms._show, request(**{part: trick}))
    assert error(response)["code"] == "InvalidRequest"


@pytest.mark.usefixtures("fakes")
async def test_a_group_that_reads_like_an_address_makes_no_other_address() -> None:
    trick = f"{VM.group}/providers/Microsoft.Compute/virtualMachineScaleSets/x"
    assert error(await sent(vms._show, request(group=trick)))["code"] == "InvalidRequest"


@pytest.mark.usefixtures("fakes")
async def test_a_session_id_in_an_address_is_one() -> None:
    for session in ("a'b--------", "x" * 65, "short", "a/b/c/d/e"):
        assert error(await sent(sessions._show, request(session=session)))["code"] == "InvalidRequest"


HEARTBEAT = {"vm": VM.resource_id, "session": "session-1", "generation": 1, "mode": "write"}


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize(
    "wrong",
    [
        {"vm": "/x"}, {"session": 5}, {"generation": "1"}, {"generation": True}, {"generation": -1},
        {"generation": 2**63}, {"mode": "own"}, {"mode": None}, {"more": 1},
    ],
)  # fmt: skip
async def test_a_heartbeat_is_read_strictly(wrong: dict[str, Any]) -> None:
    beat = {"relay": "r0", "sessions": [HEARTBEAT | wrong]}
    assert error(await sent(relays._heartbeat, request(beat)))["code"] == "InvalidRequest"


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize(
    "beat", [{}, {"relay": "r0"}, {"relay": "r0", "sessions": {}}, {"relay": "r0", "sessions": [1]}, {"relay": 1}]
)
async def test_a_heartbeat_names_its_relay_and_lists_its_sessions(beat: dict[str, Any]) -> None:
    assert error(await sent(relays._heartbeat, request(beat)))["code"] == "InvalidRequest"


@pytest.mark.usefixtures("fakes")
async def test_a_heartbeat_may_be_larger_than_other_bodies() -> None:
    many = {"relay": "r0", "sessions": [HEARTBEAT | {"session": f"session-{n}"} for n in range(200)]}
    response = await sent(relays._heartbeat, request(many))
    assert len(json.dumps(many)) > BODY_BYTES
    assert response.status_code == 200


async def test_health_is_asked_at_most_every_two_seconds(fakes: FakeDependencies) -> None:
    asked = 0

    async def probe() -> None:
        nonlocal asked
        asked += 1

    world = replace(fakes.dependencies, probes={"arm": probe})
    for _ in range(5):
        assert (await _health(world)).status == 200
    assert asked == 1
    fakes.clock.time += 3
    await _health(world)
    assert asked == 2


async def test_the_page_of_a_cloud_that_the_directory_does_not_know_is_told_its_metadata(
    fakes: FakeDependencies,
) -> None:
    about = settings(
        ENTRA_AUTHORITY="https://login.local:1",
        ENTRA_INSTANCE_DISCOVERY="off",
        PAGE_AUTHORITY_METADATA='{"issuer":"i"}',
        ENTRA_TENANTS="t1 t2",
    )
    said = (await vms._config(replace(fakes.dependencies, settings=about))).value
    assert said["authority"] == "https://login.local:1/organizations"
    assert (said["knownAuthorities"], said["authorityMetadata"]) == (["login.local:1"], {"issuer": "i"})
    said = (await vms._config(fakes.dependencies)).value
    assert said["authority"] == "https://login.microsoftonline.com/t1"
    assert (said["knownAuthorities"], said["authorityMetadata"]) == ([], None)


async def test_a_heartbeat_brings_what_is_to_be_kept_and_captured(fakes: FakeDependencies) -> None:
    fakes.policies.put(VM.resource_id, capture=True, typed=Typing.MASKED)
    beat = request({"relay": "r0", "sessions": []})
    said = json.loads((await sent(relays._heartbeat, beat)).get_body())
    assert said["capture"] == [said["keep"][0]["vm"]]
    assert said["capture"][0].lower() == VM.console
    assert (said["keep"][0]["typed"], said["keep"][0]["mask"]) == ("masked", [])
    fakes.policies.fail = Unavailable(Dependency.STORAGE_TABLES, "away")
    said = json.loads((await sent(relays._heartbeat, beat)).get_body())
    assert said == {"end": [], "again": {}, "keep": None, "keepTo": None, "capture": None}


async def test_a_heartbeat_says_when_each_session_is_looked_at_again_and_hears_it_back(fakes: FakeDependencies) -> None:
    at, session = math.ceil(fakes.clock.now()) + 7, "s" * 22
    fakes.sessions.rows[session] = Session(session, VM, "t1.ada", "Ada", Mode.WATCH, 1, fakes.clock.now(), "r0")
    live = {"vm": VM.resource_id, "session": session, "generation": 1, "mode": "watch", "again": at}
    beat = request({"relay": "r0", "sessions": [live]})
    assert json.loads((await sent(relays._heartbeat, beat)).get_body())["again"] == {session: at}
    wrong = request({"relay": "r0", "sessions": [{**live, "again": "soon"}]})
    assert error(await sent(relays._heartbeat, wrong))["code"] == "InvalidRequest"
