"""Tokens that somebody has bent: none names anybody, none makes us fetch what it says, none is told in any log."""

import base64
import json
import logging
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from dev.demo import ADA, API_CLIENT, RELAY, TENANT
from dev.entra.issuer import Issuer
from dev.entra.keys import kept_key, new_key
from dev.entra.tokens import app_token, user_token
from dev.stack import Stack
from shared.base.caller import Caller
from shared.base.refusals import Code
from shared.base.system_clock import SystemClock
from shared.session.grant import Grant, Mode
from tests.contract.test_entra_callers import Sut, code
from tests.dev.local_azure import LocalAzure
from tests.fakes import VM
from tests.signing import PemTokens

KEYS = f"/{TENANT}/discovery/v2.0/keys"


@pytest.fixture
def sut(azure: LocalAzure) -> Sut:
    return Sut(azure.stack)


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def part(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def forged(stack: Stack, **header: Any) -> str:
    """Signed by a key of the attacker's own, with these headers."""
    key = new_key()
    return jwt.encode(claims_of(user_token(stack, ADA)), key.private, "RS256", headers={"kid": key.kid, **header})


def own_jwk(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(new_key().public, as_dict=True)
    return found


def bent(stack: Stack) -> dict[str, str]:
    """By what was done to it."""
    good, kept = user_token(stack, ADA), kept_key(stack.home)
    head, body, signature = good.split(".")
    pem = kept.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    hs256 = jwt.api_jws.PyJWS()
    secret = base64.b64encode(pem).decode()
    claims, other = claims_of(good), user_token(stack, ADA)
    twice = '{"tid":"evil",' + json.dumps(claims)[1:]
    issuer = Issuer(stack, kept)
    return {
        "no algorithm": f"{part({'alg': 'none', 'kid': kept.kid})}.{body}.",
        "no algorithm, oddly spelt": f"{part({'alg': 'NoNe', 'kid': kept.kid})}.{body}.{signature}",
        "the public key as a secret": hs256.encode(json.dumps(claims).encode(), secret, "HS256", {"kid": kept.kid}),
        "a key by address": forged(stack, jku="https://evil.example/keys", kid=kept.kid),
        "a certificate by address": forged(stack, x5u="https://evil.example/cert", kid=kept.kid),
        "a key inside": forged(stack, jwk=own_jwk(stack), kid=kept.kid),
        "a certificate inside": forged(stack, x5c=["MIIB"], kid=kept.kid),
        "a key id that is a path": forged(stack, kid="../../../../dev/null"),
        "a key id that is a query": forged(stack, kid="' or 1=1 --"),
        "a key id that is long": forged(stack, kid="k" * 8000),
        "a key id that is a list": f"{part({'alg': 'RS256', 'kid': [kept.kid]})}.{body}.{signature}",
        "no key id": f"{part({'alg': 'RS256'})}.{body}.{signature}",
        "another algorithm of the family": f"{part({'alg': 'RS384', 'kid': kept.kid})}.{body}.{signature}",
        "another body": f"{head}.{part({**claims, 'oid': 'root'})}.{signature}",
        "a key twice in the body": f"{head}.{part(twice)}.{signature}",
        "no signature": f"{head}.{body}.",
        "the signature of another": f"{head}.{body}.{user_token(stack, ADA, oid='x').split('.')[2]}",
        "something after it": f"{good}.x",
        "a letter after it": f"{good}x!",
        "padding after it": f"{good}==",
        "letters that no token has": f"{head}.{body}.{signature[:8]}!!!!{signature[8:]}",
        "a line broken": f"{head}.{body}.{signature[:8]}\n{signature[8:]}",
        "a part too few": f"{head}.{body}",
        "an empty part": f"{head}..{signature}",
        "a dot before it": f".{good}",
        "a dot after it": f"{good}.",
        "two tokens": f"{good} {other}",
        "two tokens and a comma": f"{good},{other}",
        "a critical header": jwt.encode(claims, kept.private, "RS256", {"kid": kept.kid, "crit": ["x"], "x": 1}),
        "nested deeply": f"{head}.{part('[' * 5000)}.{signature}",
        "a header nested deeply": f"{part(nested(kept.kid))}.{body}.{signature}",
        "a number without end": f"{head}.{part('{"tid":' + '9' * 5000 + '}')}.{signature}",
        "a list for a body": f"{head}.{part([])}.{signature}",
        "for Azure itself": user_token(stack, ADA, audience="https://management.azure.com"),
        "for a list of others": user_token(stack, ADA, aud=["00000003-0000-0000-c000-000000000000"]),
        "for somebody else too": user_token(stack, ADA, aud=[API_CLIENT, "https://management.azure.com"]),
        "with its body's key twice, signed": signed_as_is(stack, twice),
        "an id token": issuer.id_token(ADA, client=API_CLIENT, nonce=None),
        "an id token with app roles": user_token(stack, ADA, scp=None, roles=["Console.Administrator"]),
        "an application with a scope": app_token(stack, RELAY, scp="Console.Access"),
        "a person who says to be an application": user_token(stack, ADA, idtyp="app"),
        "our session token": session_token(),
        "of another issuer": user_token(stack, ADA, iss=f"{stack.authority}/common/v2.0"),
        "of an issuer alike": user_token(stack, ADA, iss=f"{stack.authority}.evil/{TENANT}/v2.0"),
        "of a tenant in capitals": user_token(stack, ADA, tid=TENANT.upper()),
        "whose time is text": user_token(stack, ADA, exp="tomorrow"),
        "whose time is no number": user_token(stack, ADA, exp=True, nbf={}),
        "not begun yet": user_token(stack, ADA, nbf=2**40),
    }  # fmt: skip


def nested(key_id: str) -> str:
    return f'{{"alg":"RS256","kid":"{key_id}","x":{"[" * 3000 + "]" * 3000}}}'


def signed_as_is(stack: Stack, body: str) -> str:
    """By our own issuer's key: the last of two names counts for every reader, or nobody may come in by it."""
    key = kept_key(stack.home)
    first = body.replace('{"tid":"evil",', "{", 1)[:-1] + ',"tid":"evil"}'
    return jwt.api_jws.PyJWS().encode(first.encode(), key.private, "RS256", {"kid": key.kid})


def session_token() -> str:
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    grant = Grant("t", "s", f"{TENANT}.{ADA.oid}", "Ada", VM, Mode.WRITE, 1, "relay:r0", "http://issuer", 1, 2)
    return PemTokens(key.decode(), "http://issuer", SystemClock()).sign(grant)


async def test_no_bent_token_names_anybody_or_is_told_anywhere(sut: Sut, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for how, token in bent(sut.stack).items():
        assert code(await sut.identify(token)) is Code.CALLER_NOT_AUTHENTICATED, how
        assert not any(piece in caplog.text for piece in token.split(".") if len(piece) > 8), how
    assert set(sut.fetched) == {f"{sut.stack.authority}{KEYS}"}, "our own settings name the address, never a token"


@pytest.mark.parametrize("header", ["bearer {0}", "BEARER {0}", "Bearer   {0}  "])
async def test_the_scheme_is_read_as_http_writes_it(sut: Sut, header: str) -> None:
    assert code(await sut.header(header.format(user_token(sut.stack, ADA)))) is None


@pytest.mark.parametrize(
    "header",
    [
        "{0}", "Token {0}", "Bearer: {0}", "Bearer\t{0}", "Bearer\n{0}", "Bearer {0}\u00a0", "Bearer \u200b{0}",
    ],
)  # fmt: skip
async def test_nothing_else_is_a_bearer_token(sut: Sut, header: str) -> None:
    token = user_token(sut.stack, ADA)
    assert code(await sut.header(header.format(token))) is Code.CALLER_NOT_AUTHENTICATED


@pytest.mark.parametrize(
    ("claims", "contexts", "answers"),
    [
        ({"acrs": ["c1", "c99", "c100", "C2", 3, "urn:x"], "xms_cc": ["cp1"]}, {"c1", "c99"}, True),
        ({"acrs": "c7", "xms_cc": "CP1"}, {"c7"}, True),
        ({"acrs": {"c1": 1}, "xms_cc": {"cp1": 1}}, set(), False),
        ({"acrs": None, "xms_cc": None}, set(), False),
        ({"acrs": ["c1 c2"], "xms_cc": ["cp2", 1]}, set(), False),
    ],
)
async def test_what_a_sign_in_has_proven_is_read_strictly(
    sut: Sut,
    claims: dict[str, Any],
    contexts: set[str],
    answers: bool,  # noqa: FBT001 - a column of the table
) -> None:
    caller = await sut.identify(user_token(sut.stack, ADA, **claims))
    assert isinstance(caller, Caller)
    assert caller.contexts == frozenset(contexts)
    assert caller.answers_challenges is answers


async def test_a_scope_that_only_contains_ours_is_another(sut: Sut) -> None:
    for scope in ("Console.Access.All", "xConsole.Access", "console.access"):
        assert code(await sut.identify(user_token(sut.stack, ADA, scp=scope))) is Code.CALLER_NOT_PERMITTED
    assert code(await sut.identify(user_token(sut.stack, ADA, scp="User.Read Console.Access"))) is None


@pytest.mark.parametrize(("roles", "read"), [("Relay.Attach", {"Relay.Attach"}), (5, set()), ([1, "R"], {"R"})])
async def test_app_roles_are_texts(sut: Sut, roles: Any, read: set[str]) -> None:
    caller = await sut.identify(user_token(sut.stack, ADA, roles=roles))
    assert isinstance(caller, Caller)
    assert caller.roles == read


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[31mAda\r\n\x07", "[31mAda"), ("Ada\u202eecalevoL", "AdaecalevoL"), ("\ud800", "ada@contoso.example"),
        (7, "ada@contoso.example"), ("A" * 5000, "A" * 256), ("\u0410\u0434\u0430 \u00e9", "\u0410\u0434\u0430 \u00e9"),
    ],
)  # fmt: skip
async def test_a_name_steers_no_terminal_in_which_others_read_it(sut: Sut, name: Any, shown: str) -> None:
    caller = await sut.identify(user_token(sut.stack, ADA, name=name))
    assert isinstance(caller, Caller)
    assert caller.name == shown


async def test_a_guest_is_known_by_the_object_id_in_the_tenant_that_signed(sut: Sut) -> None:
    guest = user_token(sut.stack, ADA, oid="0a0c0000-0000-4000-8000-0000000000bb", idp="https://sts.windows.net/other/")
    caller = await sut.identify(guest)
    assert isinstance(caller, Caller)
    assert caller.subject == f"{TENANT}.0a0c0000-0000-4000-8000-0000000000bb"


async def test_several_tenants_are_served_each_by_its_own_keys(azure: LocalAzure) -> None:
    """A token of the one, signed with the keys of the other, is nobody's."""
    other, key = "7a5c0000-0000-4000-8000-000000000002", new_key()
    sut = Sut(azure.stack, tenants=f"{TENANT.upper()} {other}", keys={other: {"keys": [public(key)]}})
    claims = {**claims_of(user_token(azure.stack, ADA)), "tid": other, "iss": f"{azure.stack.authority}/{other}/v2.0"}
    good = jwt.encode(claims, key.private, "RS256", {"kid": key.kid})
    mixed = jwt.encode(claims, kept_key(azure.stack.home).private, "RS256", {"kid": kept_key(azure.stack.home).kid})
    third = jwt.encode(
        {**claims, "tid": "7a5c0000-0000-4000-8000-000000000003"}, key.private, "RS256", {"kid": key.kid}
    )
    assert [code(await sut.identify(token)) for token in (good, user_token(azure.stack, ADA), mixed, third)] == [
        None, None, Code.CALLER_NOT_AUTHENTICATED, Code.CALLER_NOT_AUTHENTICATED,
    ]  # fmt: skip


def public(key: Any) -> dict[str, Any]:
    found: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(key.public, as_dict=True)
    return {**found, "kid": key.kid, "use": "sig"}
