"""The relay's door under attack: each attempt gets its documented answer, and nothing behind the door hears of it."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from websockets.exceptions import InvalidStatus

from relay import listener
from shared.adapters.jwt_tokens import JwtTokens
from shared.domain.frames import PROTOCOL, TOKEN_PREFIX
from shared.domain.grant import COMMAND_TYPE, TOKEN_TYPE, Mode
from shared.domain.vm import VmId
from tests.relay.stage import ISSUER, PAGE, PEM, RELAY, VM, ControlPlane, Stage, staged

OTHER = VmId.parse(VM.resource_id.replace("web-01", "db-01"))
KEY: Any = load_pem_private_key(PEM.encode(), None)


class Clock:
    def now(self) -> float:
        return 0.0


KEY_ID = JwtTokens(PEM, ISSUER, Clock()).public_keys()["keys"][0]["kid"]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Both dialects are open: what one refuses, the other must."""
    async with staged(compatible=True) as running:
        yield running


def untouched(stage: Stage) -> bool:
    """Nobody was attached, no VM was dialled, the function app was not asked."""
    return not (stage.control_plane.attached or stage.ports.dials or stage.relay.grants or stage.relay.viewers)


async def refused(stage: Stage, token: str, **how: Any) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as caught:
        await stage.dial(token, **how)
    answer = caught.value.response
    return answer.status_code, json.loads(answer.body)["error"]["code"]


async def refused_everywhere(stage: Stage, token: str) -> bool:
    """By both dialects, as a token that is not valid."""
    asked = f"?authorization={quote(token)}"
    path = "/n/connector/r0/sessions/ada/client"
    own = await refused(stage, token)
    compatible = await refused(stage, "", path=path, query=asked, protocols=[])
    return own == compatible == (401, "TokenInvalid") and untouched(stage)


# --- other pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin",
    [
        "null", "", "HTTP://PAGE", "http://Page", "https://page", "http://page:80", "http://page:8080", "http://page/",
        "http://page.", "http://page.evil", "http://evil.page", "http://pagex", "http://xpage", "http://page@evil",
        "http://evil/http://page", "http://page http://evil", "page", "file://", "http://page,http://page", "*",
    ],
)  # fmt: skip
async def test_a_page_whose_origin_is_not_to_the_byte_ours_is_refused(stage: Stage, origin: str) -> None:
    answer = await sends(stage, upgrade(stage, changes={"Origin": origin}))
    assert status(answer) == (403, "CallerNotPermitted")
    assert untouched(stage)


# --- tokens -------------------------------------------------------------------------------------------------------


def encoded(part: Any) -> str:
    return (
        base64.urlsafe_b64encode(part if isinstance(part, bytes) else json.dumps(part).encode()).rstrip(b"=").decode()
    )


def header(**changes: Any) -> dict[str, Any]:
    return {"alg": "ES256", "typ": TOKEN_TYPE, "kid": KEY_ID} | changes


def unsigned(stage: Stage, **changes: Any) -> str:
    return f"{encoded(header(**changes))}.{encoded(stage.grant('ada').claims())}."


def public_pem() -> bytes:
    found: bytes = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return found


def with_hmac(stage: Stage, secret: bytes, **changes: Any) -> str:
    """Signed with a secret that is none: the verifier's public key, as it publishes it."""
    signed = f"{encoded(header(alg='HS256', **changes))}.{encoded(stage.grant('ada').claims())}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def by_somebody(stage: Stage, **changes: Any) -> str:
    """Well signed, by a key of the attacker's that the header recommends."""
    theirs = ec.generate_private_key(ec.SECP256R1())
    jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(theirs.public_key()))
    about = {name: jwk if value == "theirs" else value for name, value in changes.items()}
    return jwt.encode(stage.grant("ada").claims(), theirs, "ES256", headers=header(**about))


def by_us(stage: Stage, *, claims: dict[str, Any] | None = None, **changes: Any) -> str:
    """Signed with the real key, and yet no session token."""
    said = stage.grant("ada").claims() | (claims or {})
    return jwt.encode(
        {name: value for name, value in said.items() if value is not None}, KEY, "ES256", headers=header(**changes)
    )


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
async def test_a_token_without_a_signature_is_refused(stage: Stage, name: str) -> None:
    assert await refused_everywhere(stage, unsigned(stage, alg=name))
    assert await refused_everywhere(stage, unsigned(stage, alg=name) + encoded(b"x"))


async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(stage: Stage) -> None:
    jwk = json.dumps(JwtTokens(PEM, ISSUER, Clock()).public_keys()["keys"][0]).encode()
    raw = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    for secret in (public_pem(), public_pem().strip(), jwk, raw, b""):
        assert await refused_everywhere(stage, with_hmac(stage, secret))


@pytest.mark.parametrize(
    "changes",
    [
        {"jwk": "theirs"}, {"jku": "http://evil/keys"}, {"x5u": "http://evil/chain"}, {"x5c": ["TUlJQg=="]},
        {"kid": "../../dev/null"}, {"kid": ""}, {"kid": "x' OR '1'='1"}, {"kid": "theirs"}, {},
    ],
)  # fmt: skip
async def test_a_key_that_the_token_itself_recommends_is_not_believed(stage: Stage, changes: dict[str, Any]) -> None:
    forged = by_somebody(stage, **{name: value for name, value in changes.items() if name != "kid"})
    assert await refused_everywhere(stage, forged)
    if isinstance(changes.get("kid"), str):
        head, claims, signature = forged.split(".")
        del head
        assert await refused_everywhere(stage, f"{encoded(header(kid=changes['kid']))}.{claims}.{signature}")
    assert stage.keys.asked == 1


@pytest.mark.parametrize("algorithm", ["ES384", "RS256", "EdDSA", "ES256K", "PS256"])
async def test_another_algorithm_is_refused_even_with_a_good_signature_of_its_own(stage: Stage, algorithm: str) -> None:
    signed = f"{encoded(header(alg=algorithm))}.{encoded(stage.grant('ada').claims())}"
    key: Any = rsa.generate_private_key(65537, 2048) if algorithm in ("RS256", "PS256") else KEY
    forged = (
        jwt.encode(stage.grant("ada").claims(), key, algorithm, headers=header(alg=algorithm))
        if algorithm in ("RS256", "PS256")
        else f"{signed}.{encoded(b'0' * 64)}"
    )
    assert await refused_everywhere(stage, forged)


@pytest.mark.parametrize(
    "kind", [COMMAND_TYPE, "JWT", "at+jwt", "CONSOLE+JWT", "console+jwt ", "", None, 1, ["console+jwt"]]
)
async def test_a_token_of_another_kind_is_refused(stage: Stage, kind: Any) -> None:
    signed = f"{encoded(header(typ=kind))}.{encoded(stage.grant('ada').claims())}"
    signature = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(signed.encode(), KEY)
    assert await refused_everywhere(stage, f"{signed}.{encoded(signature)}")


async def test_a_command_is_no_session_and_a_session_no_command(stage: Stage) -> None:
    tokens = JwtTokens(PEM, ISSUER, stage.clock)
    assert await refused_everywhere(stage, tokens.sign_command(RELAY, b""))
    body = json.dumps(stage.grant("ada").claims()).encode()
    assert not await stage.relay.world.keys.commanded(f"Bearer {stage.token()}", b"")
    assert not await stage.relay.world.keys.commanded(f"Bearer {stage.token()}", body)
    assert await stage.relay.world.keys.commanded(f"Bearer {tokens.sign_command(RELAY, body)}", body)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None}, {"iat": None}, {"jti": None}, {"sid": None}, {"vm": None}, {"mode": None}, {"gen": None},
        {"aud": None}, {"iss": None}, {"aud": ["relay:r0", "relay:r1"]}, {"aud": "relay:r00"}, {"aud": "relay:R0"},
        {"iss": "http://issuer/"}, {"mode": "root"}, {"port": 1}, {"vm": "/"}, {"gen": "many"}, {"exp": 2**40},
    ],
)  # fmt: skip
async def test_claims_that_are_not_a_session_tokens_are_refused(stage: Stage, claims: dict[str, Any]) -> None:
    assert await refused_everywhere(stage, by_us(stage, claims=claims))


@pytest.mark.parametrize(
    "token",
    [
        "", ".", "..", "...", "a.b", "a.b.c.d", "=.=.=", "%00.%00.%00", encoded(b"[" * 3000) + ".e30.e30",
        encoded(b"[]") + ".e30.e30", encoded(b'{"alg":"ES256"') + ".e30.e30", encoded(b"\xff\xfe") + ".e30.e30",
    ],
)  # fmt: skip
async def test_what_is_no_token_at_all_is_refused(stage: Stage, token: str) -> None:
    answer = await sends(stage, upgrade(stage, protocols=f"{PROTOCOL}, {TOKEN_PREFIX}{token}"))
    assert status(answer) == (401, "TokenInvalid")
    assert untouched(stage)


@pytest.mark.parametrize("critical", [["b64"], ["exp"], []])
async def test_a_header_that_changes_how_it_is_to_be_read_does_not(stage: Stage, critical: list[str]) -> None:
    signed = f"{encoded(header(crit=critical, b64=False))}.{encoded(stage.grant('ada').claims())}"
    signature = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(signed.encode(), KEY)
    assert await refused_everywhere(stage, f"{signed}.{encoded(signature)}")


async def test_a_changed_claim_breaks_the_signature(stage: Stage) -> None:
    head, claims, signature = stage.token(mode=Mode.WATCH).split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    for changes in ({"mode": "write"}, {"gen": 99}, {"vm": OTHER.resource_id}, {"sid": "bob"}):
        assert await refused_everywhere(stage, f"{head}.{encoded(said | changes)}.{signature}")


async def test_a_token_opens_the_vm_it_names_and_no_other(stage: Stage) -> None:
    ada = await stage.comes("ada")
    bob = await stage.dial(stage.token("bob", vm=OTHER, generation=9))
    await bob.heard("hello", console=OTHER.console)
    await bob.types(b"x")
    await bob.sees(b"x")
    assert not ada.bytes
    assert [bytes(port.typed) for port in stage.ports.opened] == [b"", b"x"]


async def test_a_token_of_an_older_generation_is_refused_after_a_fence(stage: Stage) -> None:
    await stage.comes("ada", generation=1)
    late = stage.token("bob", generation=1)
    stage.relay.fence(VM, 2, "Grace")
    assert await refused(stage, late) == (409, "SessionSuperseded")
    assert await refused(stage, late) == (401, "TokenReplayed")
    assert stage.ports.dials == 1


# --- replay -------------------------------------------------------------------------------------------------------


async def test_a_token_that_was_used_opens_nothing_at_a_relay_that_started_again() -> None:
    function_app = ControlPlane()
    async with staged(control_plane=function_app) as first:
        token = first.token()
        ada = await first.dial(token)
        await ada.heard("hello")
        assert await refused(first, token) == (401, "TokenReplayed")
    async with staged(control_plane=function_app) as again:
        assert await refused(again, token) == (401, "TokenReplayed")
        assert not again.ports.dials


async def test_a_token_for_one_relay_opens_nothing_at_another() -> None:
    function_app = ControlPlane()
    async with staged(control_plane=function_app) as first, staged(control_plane=function_app, name="r1") as second:
        token = first.token()
        assert await refused(second, token) == (401, "TokenInvalid")
        assert not function_app.burnt
        await first.dial(token)
        assert await refused(second, token) == (401, "TokenInvalid")
        assert await refused(first, first.token(audience="relay:r1")) == (401, "TokenInvalid")


async def test_two_who_bring_one_token_at_once_are_not_both_let_in(stage: Stage) -> None:
    stage.ports.gate.clear()
    token = stage.token()
    async with opened(stage, upgrade(stage, token=token)) as (reader, _):
        await stage.until(lambda: stage.ports.dials)
        assert await refused(stage, token) == (401, "TokenReplayed")
        stage.ports.gate.set()
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        assert len(stage.control_plane.attached) == 1
    await stage.until(lambda: stage.control_plane.detached)


# --- heads that two readers may read differently --------------------------------------------------------------------


def upgrade(
    stage: Stage, *extra: str, token: str | None = None, protocols: str | None = None, target: str = "/v1/console",
    changes: dict[str, str | None] | None = None,
) -> bytes:  # fmt: skip
    """A good request for an upgrade; `extra` lines are appended, `changes` replace a header or (None) drop it."""
    offered = protocols or f"{PROTOCOL}, {TOKEN_PREFIX}{token or stage.token()}"
    headers: dict[str, str | None] = {
        "Host": "relay", "Origin": PAGE, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": offered,
        **(changes or {}),
    }  # fmt: skip
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    return ("\r\n".join([*lines, *extra]) + "\r\n\r\n").encode("latin-1")


@asynccontextmanager
async def opened(stage: Stage, request: bytes) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    writer.write(request)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):  # it was cut by the relay
            await writer.wait_closed()


async def sends(stage: Stage, request: bytes) -> bytes:
    """All that comes back until the relay closes."""
    async with opened(stage, request) as (reader, _):
        return await reader.read()


def status(answer: bytes) -> tuple[int, str]:
    """Of the one and only answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.count(b"HTTP/1.1 ") == 1
    assert f"Content-Length: {len(body)}\r\n".encode() in head
    return int(head.split(b" ")[1]), json.loads(body)["error"]["code"]


async def test_the_request_that_the_others_bend_is_a_good_one(stage: Stage) -> None:
    async with opened(stage, upgrade(stage)) as (reader, _):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    await stage.until(lambda: stage.control_plane.detached)


@pytest.mark.parametrize(
    "line",
    [
        "Host: relay", "Host: evil", "hOST: evil", f"Origin: {PAGE}", "Origin: http://evil", "Origin:",
        f"Sec-WebSocket-Protocol: {PROTOCOL}", "Sec-WebSocket-Protocol: x", f"Sec-WebSocket-Protocol: {TOKEN_PREFIX}x",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8",
        "Content-Length: 5", "Content-Length: 0x0", "Content-Length: -1", "Content-Length: +0", "Content-Length: 0, 0",
        "Transfer-Encoding: chunked", "Transfer-Encoding: identity", "Transfer-Encoding:",
        "Transfer-Encoding: xchunked",
        " folded: on", "\tfolded", " ", "X-A: b\r\n continued", "Origin : http://page", "Origin\t: http://page",
        ": nameless", "no colon", "X\x00Y: z", "X-A: b\x00c", "X-A: b\rX-B: c",
        "X-A: b\nOrigin: http://evil", "X\x0b: y",
        "X-A: \x7f", "X-A: \x1b[2J", "Käse: x", "X(Y): z",
    ],
)  # fmt: skip
async def test_a_head_that_two_readers_may_read_differently_is_refused(stage: Stage, line: str) -> None:
    assert status(await sends(stage, upgrade(stage, line))) == (400, "InvalidRequest")
    assert untouched(stage)


async def test_a_body_is_not_taken_for_frames(stage: Stage) -> None:
    typed = b"\x82\x82\x00\x00\x00\x00rm"
    for lines in (
        ["Content-Length: 8"],
        ["Transfer-Encoding: chunked"],
        ["Content-Length: 8", "Transfer-Encoding: chunked"],
    ):
        assert status(await sends(stage, upgrade(stage, *lines) + typed)) == (400, "InvalidRequest")
    assert untouched(stage)


@pytest.mark.parametrize("name", ["Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"])
async def test_a_head_that_lacks_what_an_upgrade_needs_is_refused(stage: Stage, name: str) -> None:
    assert status(await sends(stage, upgrade(stage, changes={name: None}))) == (400, "InvalidRequest")
    assert status(await sends(stage, upgrade(stage, changes={name: ""}))) == (400, "InvalidRequest")
    assert untouched(stage)


@pytest.mark.parametrize(
    "protocols", [f"{PROTOCOL}, {PROTOCOL}, {{}}", f"{PROTOCOL}, {{}}, {{}}", "{}", PROTOCOL, "{}, x"]
)
async def test_the_subprotocols_are_said_once_each(stage: Stage, protocols: str) -> None:
    token = TOKEN_PREFIX + stage.token()
    answer = status(await sends(stage, upgrade(stage, protocols=protocols.replace("{}", token))))
    assert answer in ((400, "InvalidRequest"), (401, "TokenInvalid"))
    assert untouched(stage)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("http://relay/v1/console", 400), ("ws://relay/v1/console", 400), ("relay:443", 400), ("*", 400),
        ("v1/console", 400),
        ("//evil/v1/console", 404), ("/v1/%63onsole", 404), ("/v1/%2e%2e/v1/console", 404), ("/v1/../v1/console", 404),
        ("/v1/./console", 404), ("/v1//console", 404), ("/v1/console/", 404), ("/v1/console%00", 404),
        ("/V1/console", 404),
        ("/v1/console;x=1", 404), ("/v1/console#", 404), ("/v1\\console", 404), ("/v1/console%3fepoch=e", 404),
        ("/v1/cons\tole", 400), ("/v1/cons\x00ole", 400), ("/v1/console\n", 400), ("/v1/cönsole", 400),
        ("/v1/console HTTP/1.1 /x", 400), ("/control/end", 404), ("/healthz", 404), ("/metrics", 404),
    ],
)  # fmt: skip
async def test_an_address_is_read_as_it_stands(stage: Stage, target: str, expected: int) -> None:
    answer = status(await sends(stage, upgrade(stage, target=target)))
    assert answer == (expected, {400: "InvalidRequest", 404: "NotFound"}[expected])
    assert untouched(stage)


@pytest.mark.parametrize(
    "request_line",
    ["GET /v1/console HTTP/1.0", "GET /v1/console HTTP/2.0", "PRI * HTTP/2.0", "GET  /v1/console HTTP/1.1", ""],
)
async def test_a_request_line_of_another_protocol_is_refused(stage: Stage, request_line: str) -> None:
    _, rest = upgrade(stage).split(b"\r\n", 1)
    assert status(await sends(stage, request_line.encode() + b"\r\n" + rest)) == (400, "InvalidRequest")


@pytest.mark.parametrize("method", ["POST", "CONNECT", "OPTIONS", "get", "TRACE"])
async def test_only_get_upgrades(stage: Stage, method: str) -> None:
    assert status(await sends(stage, upgrade(stage).replace(b"GET", method.encode(), 1))) == (400, "InvalidRequest")
    assert untouched(stage)


async def test_very_long_heads_are_cut_off(stage: Stage) -> None:
    for request in (
        upgrade(stage, "X-Long: " + "x" * 17_000), upgrade(stage, *(f"X-{n}: {n}" for n in range(3000))),
        upgrade(stage, target="/v1/console?" + "x" * 17_000), b"GET /" + b"x" * 100_000, b"\r\n" * 9000 + b"x",
    ):  # fmt: skip
        answer = await sends(stage, request)
        assert not answer or status(answer) == (400, "InvalidRequest")
    assert untouched(stage)


async def test_a_second_request_behind_a_refused_one_is_not_read(stage: Stage) -> None:
    for first in (
        upgrade(stage, target="/"), upgrade(stage, changes={"Origin": "http://evil"}), upgrade(stage, "no colon"),
        upgrade(stage, protocols="x"), b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    ):  # fmt: skip
        status(await sends(stage, first + upgrade(stage)))  # one answer, and the end
    assert untouched(stage)


async def test_a_second_request_behind_a_good_one_is_no_request(stage: Stage) -> None:
    """Bytes behind the head are frames, and an unmasked one is a fault of the protocol."""
    answer = await sends(stage, upgrade(stage) + upgrade(stage, token=stage.token("bob")))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert [grant.session for grant in stage.control_plane.attached] == ["ada"]
    assert not stage.ports.last.typed
    await stage.until(lambda: stage.control_plane.detached)


FRAMES = [
    (b"\x82\x02ls", 1002), (b"\xc2\x82____ls", 1002), (b"\xa2\x82____ls", 1002), (b"\x92\x82____ls", 1002),
    (b"\x83\x82____ls", 1002), (b"\x09\x80____", 1002), (b"\x89\xfe\x00\x7e____" + b"x" * 126, 1002),
    (b"\x80\x82____ls", 1002), (b"\x82\xff" + b"\xff" * 8 + b"____", 1002), (b"\x8b\x80____", 1002),
    (b"\x88\x81____\x03", 1002), (b"\x88\x82____\x5f\x5f", 1000), (b"\x88\x82____" + b"\x5c\xb2", 1002),
    (b"\x01\x81____l\x81\x81____s", 1002),
    (b"\x82\xff\x00\x00\x00\x00\x00\x01\x00\x01____", 1009), (b"\x88\x80____", 1000),
]  # fmt: skip
"""Masked with b"____" where masked at all."""


@pytest.mark.parametrize("compatible", [False, True])
@pytest.mark.parametrize(("frame", "code"), FRAMES)
async def test_frames_that_break_the_protocol_end_the_session_and_free_the_console(
    stage: Stage, frame: bytes, code: int, monkeypatch: pytest.MonkeyPatch, *, compatible: bool
) -> None:
    monkeypatch.setattr(listener, "CLOSE_SECONDS", 0.01)  # this client answers no goodbye
    stage.ports.echo = False
    token = stage.token()
    path = f"/n/connector/r0/sessions/ada/client?authorization={token}"
    request = upgrade(stage, target=path, protocols="x") if compatible else upgrade(stage, token=token)
    async with opened(stage, request) as (reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await stage.until(lambda: stage.relay.viewers)
        writer.write(frame)
        answer = await reader.read()
    assert code.to_bytes(2) in answer
    await stage.until(lambda: len(stage.control_plane.detached) == 1)
    assert b"s" not in stage.ports.last.typed
    assert not stage.relay.grants


async def test_a_refusal_repeats_nothing_of_what_it_was_sent(stage: Stage) -> None:
    for request in (
        upgrade(stage, target="/<script>alert(1)</script>"), upgrade(stage, "Evil-Header"),
        upgrade(stage, changes={"Origin": "http://<script>"}), upgrade(stage, token="evil.evil.evil"),
        upgrade(stage, "x-ms-correlation-request-id: evil"), upgrade(stage, target="/v1/console?epoch=evil"),
    ):  # fmt: skip
        async with opened(stage, request) as (reader, _):
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert b"script" not in answer
        assert b"evil" not in answer
    await stage.until(lambda: not stage.relay.viewers)
