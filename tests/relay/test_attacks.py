"""The relay's door under attack: each attempt gets its documented answer, and nothing behind the door hears of it."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from websockets.exceptions import InvalidStatus

from shared.access.compatibility import Compatibility
from shared.base.vm import VmId
from shared.console.frames import PROTOCOL, TOKEN_PREFIX
from shared.session.grant import COMMAND_TYPE, TOKEN_TYPE, Mode
from tests.relay.raw_visits import opened, sends, status, untouched, upgrade
from tests.relay.stage import ISSUER, PEM, RELAY, VM, Clock, ControlPlane, Stage, staged
from tests.signing import PemTokens

OTHER = VmId.parse(VM.resource_id.replace("web-01", "db-01"))
KEY: Any = load_pem_private_key(PEM.encode(), None)


KEY_ID = PemTokens(PEM, ISSUER, Clock()).public_keys()["keys"][0]["kid"]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Both dialects are open: what one refuses, the other must."""
    async with staged(compatibility=Compatibility.OLDER) as running:
        yield running


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


def by_hand(stage: Stage, **changes: Any) -> str:
    """Signed with the real key over a header that no library would write."""
    signed = f"{encoded(header(**changes))}.{encoded(stage.grant('ada').claims())}"
    signature = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(signed.encode(), KEY)
    return f"{signed}.{encoded(signature)}"


async def test_the_tokens_that_the_others_bend_are_good_ones(stage: Stage) -> None:
    for token in (by_hand(stage), by_us(stage, claims={"sid": "bob", "mode": "watch"})):
        await (await stage.dial(token)).heard("hello")


async def test_a_session_attaches_once_whatever_tokens_there_are_of_it(stage: Stage) -> None:
    ada = await stage.comes("ada")
    assert await refused(stage, stage.token("ada", generation=2)) == (401, "TokenReplayed")
    await ada.types(b"x")
    await ada.sees(b"x")
    assert len(stage.control_plane.attached) == 1


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
async def test_a_token_without_a_signature_is_refused(stage: Stage, name: str) -> None:
    assert await refused_everywhere(stage, unsigned(stage, alg=name))
    assert await refused_everywhere(stage, unsigned(stage, alg=name) + encoded(b"x"))


async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(stage: Stage) -> None:
    jwk = json.dumps(PemTokens(PEM, ISSUER, Clock()).public_keys()["keys"][0]).encode()
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
    assert await refused_everywhere(stage, by_hand(stage, typ=kind))


async def test_a_command_is_no_session_and_a_session_no_command(stage: Stage) -> None:
    tokens = PemTokens(PEM, ISSUER, stage.clock)
    assert await refused_everywhere(stage, tokens.sign_command(RELAY, b""))
    body = json.dumps(stage.grant("ada").claims()).encode()
    assert not await stage.relay.dependencies.keys.commanded(f"Bearer {stage.token()}", b"")
    assert not await stage.relay.dependencies.keys.commanded(f"Bearer {stage.token()}", body)
    assert await stage.relay.dependencies.keys.commanded(f"Bearer {tokens.sign_command(RELAY, body)}", body)


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
    assert await refused_everywhere(stage, by_hand(stage, crit=critical, b64=False))


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
