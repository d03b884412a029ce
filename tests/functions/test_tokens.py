"""Tokens that somebody has bent, or taken from elsewhere: 401, nobody is called for them, nothing of them is told."""

import base64
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dev.demo import ADA, PAGE_CLIENT, RELAY
from dev.entra.issuer import Issuer
from dev.entra.keys import SigningKey, kept_key, new_key
from dev.entra.registrations import ARM
from dev.entra.tokens import app_token, user_token
from tests.functions.control_plane import ControlPlane
from tests.functions.test_over_http import opened, refusal, vm

CALLS = (("GET", "/api/consoles"), ("POST", f"{vm('web-01')}/serialConsole/sessions"), ("PUT", "/api/policy"))
ELSEWHERE = "7a5c0000-0000-4000-8000-0000000000ff"
PIECE = 12
"""Characters of a token that would be a part of it: less are found by chance."""


@dataclass(frozen=True)
class Forger:
    """Has what anybody can have: a good token's claims, the public key and its name, and an address to be called at."""

    plane: ControlPlane
    trap: str

    @property
    def key(self) -> SigningKey:
        return kept_key(self.plane.stack.home)

    def claims(self, **changes: Any) -> dict[str, Any]:
        read = jwt.decode(user_token(self.plane.stack, ADA), options={"verify_signature": False})
        return {name: value for name, value in (read | changes).items() if value is not None}

    def signed(self, head: Mapping[str, Any], key: SigningKey | None = None, **changes: Any) -> str:
        return jwt.encode(self.claims(**changes), (key or new_key()).private, "RS256", headers=dict(head))

    def unsigned(self, head: dict[str, Any], signature: str = "", **changes: Any) -> str:
        return f"{part({'typ': 'JWT', 'kid': self.key.kid} | head)}.{part(self.claims(**changes))}.{signature}"

    def by_hmac(self, secret: bytes, algorithm: str = "HS256") -> str:
        """PyJWT refuses to sign with a public key as the secret; a forger's library does not."""
        text = f"{part({'alg': algorithm, 'kid': self.key.kid})}.{part(self.claims())}"
        signer = jwt.get_algorithm_by_name(algorithm)
        return f"{text}.{base64.urlsafe_b64encode(signer.sign(text.encode(), secret)).decode().rstrip('=')}"


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.fixture
def forger(plane: ControlPlane) -> Iterator[Forger]:
    """Whoever connects to the trap was told to by a token."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        yield Forger(plane, f"https://127.0.0.1:{listening.getsockname()[1]}")
        with pytest.raises(BlockingIOError):
            listening.accept()


def pem(forger: Forger) -> bytes:
    return forger.key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def der(forger: Forger) -> bytes:
    return forger.key.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def with_own_key(forger: Forger) -> str:
    """The head brings the key that is to be believed."""
    mine = new_key()
    return forger.signed({"kid": forger.key.kid, "jwk": mine.published("x")}, mine)


FORGED: dict[str, Callable[[Forger], str]] = {
    "no algorithm": lambda by: by.unsigned({"alg": "none"}),
    "no algorithm, in other letters": lambda by: by.unsigned({"alg": "NoNe"}),
    "no algorithm, with a signature": lambda by: by.unsigned({"alg": "none"}, "AAAA"),
    "an empty algorithm": lambda by: by.unsigned({"alg": ""}, "AAAA"),
    "an algorithm that is a list": lambda by: by.unsigned({"alg": ["RS256"]}, "AAAA"),
    "no signature": lambda by: by.unsigned({"alg": "RS256"}),
    "the public key as a secret": lambda by: by.by_hmac(pem(by)),
    "the public key as a secret, without its frame": lambda by: by.by_hmac(der(by)),
    "the public key as a longer secret": lambda by: by.by_hmac(pem(by), "HS512"),
    "a key at an address": lambda by: by.signed({"kid": by.key.kid, "jku": f"{by.trap}/keys"}),
    "a certificate at an address": lambda by: by.signed({"kid": by.key.kid, "x5u": f"{by.trap}/x5u"}),
    "a key of its own": with_own_key,
    "a certificate of its own": lambda by: by.signed({"kid": by.key.kid, "x5c": ["MIIB"], "x5t": "x"}),
    "a key's name that is an address": lambda by: by.signed({"kid": f"{by.trap}/keys"}),
    "a key's name that is a path": lambda by: by.signed({"kid": "../../../../dev/null"}),
    "a key's name that asks a database": lambda by: by.signed({"kid": "x' OR '1'='1"}),
    "a key's name that is empty": lambda by: by.signed({"kid": ""}),
    "a key's name that is long": lambda by: by.signed({"kid": "k" * 9000}),
    "a key's name that is a number": lambda by: by.unsigned({"alg": "RS256", "kid": 5}, "AAAA"),
    "a critical field": lambda by: by.signed({"kid": by.key.kid, "crit": ["x"], "x": 1}, by.key),
    "another tenant": lambda by: by.signed({"kid": by.key.kid}, by.key, tid=ELSEWHERE),
    "a tenant that is an address": lambda by: by.signed({"kid": by.key.kid}, by.key, tid=by.trap),
    "a tenant that is a path": lambda by: by.signed({"kid": by.key.kid}, by.key, tid="../../evil"),
    "an issuer that is an address": lambda by: by.signed({"kid": by.key.kid}, by.key, iss=f"{by.trap}/v2.0"),
    "an audience among others": lambda by: by.signed({"kid": by.key.kid}, by.key, aud=f"{by.trap} api"),
    "no audience": lambda by: by.signed({"kid": by.key.kid}, by.key, aud=None),
    "a token for Azure Resource Manager": lambda by: user_token(by.plane.stack, ADA, audience=ARM),
    "an id token": lambda by: Issuer(by.plane.stack, by.key).id_token(ADA, client=PAGE_CLIENT, nonce="n"),
    "a session's token": lambda by: str(opened(by.plane, "web-01", ADA)["token"]),
    "a relay's token for another API": lambda by: app_token(by.plane.stack, RELAY, audience=ARM),
    "a token whose claims were changed": lambda by: ".".join(
        [
            (whole := user_token(by.plane.stack, ADA).split("."))[0],
            part(by.claims(roles=["Console.Administrator"])),
            whole[2],
        ]
    ),
    "a token cut short": lambda by: user_token(by.plane.stack, ADA)[:-4],
    "a token that has ended": lambda by: by.signed({"kid": by.key.kid}, by.key, exp=1),
    "a token with a part more": lambda by: user_token(by.plane.stack, ADA) + ".e30",
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_token_names_nobody_and_calls_nobody(forger: Forger, how: str) -> None:
    token = FORGED[how](forger)
    for method, address in CALLS:
        answer = forger.plane.call(method, address, token, json={} if method != "GET" else None)
        assert refusal(answer) == (401, "CallerNotAuthenticated")
        told = answer.text + "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
        assert not pieces(token) & pieces(told)


def test_no_part_of_a_forged_token_is_written_down(forger: Forger) -> None:
    forged = [make(forger) for make in FORGED.values()]
    for token in forged:
        forger.plane.call("GET", "/api/consoles", token)
    log = forger.plane.host.log
    assert not [token for token in forged if token.rpartition(".")[0] in log or token[-PIECE:] in log]


def pieces(text: str) -> set[str]:
    return {text[at : at + PIECE] for at in range(len(text) - PIECE + 1)}


def test_a_good_token_is_known_by_the_same_calls(forger: Forger) -> None:
    """What the others are refused for is not how they are sent."""
    token = forger.signed({"kid": forger.key.kid}, forger.key)
    assert [forger.plane.call(method, address, token, json={} if method != "GET" else None).status_code
            for method, address in CALLS] == [200, 201, 403]  # fmt: skip


def test_a_refusal_tells_nothing_of_a_token_that_was_good(plane: ControlPlane) -> None:
    token = user_token(plane.stack, ADA)
    for address in (
        f"{vm('web-99')}/serialConsole",
        f"{vm('web-01')}/serialConsole?x=1",
        "/api/policy",
    ):
        answer = plane.call("GET", address, token)
        assert answer.status_code >= 400
        assert not pieces(token) & pieces(answer.text + str(answer.headers))
