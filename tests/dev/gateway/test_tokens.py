import json
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
import trustme
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from dev.gateway.tokens import ARM, EntraTokens, Verdict

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Entra:
    """A key set that counts how often it is asked for."""

    keys: list[dict[str, Any]] = field(default_factory=list)
    fetches: int = 0
    address: str = ""

    def publish(self, kid: str, key: rsa.RSAPrivateKey) -> None:
        numbers = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
        self.keys.append({"kty": "RSA", "use": "sig", "kid": kid, "n": numbers["n"], "e": numbers["e"]})

    async def answer(self, _: web.Request) -> web.Response:
        self.fetches += 1
        return web.json_response({"keys": self.keys})


@pytest.fixture
async def entra(certificate: ssl.SSLContext) -> AsyncIterator[Entra]:
    entra = Entra()
    entra.publish("k1", KEY)
    application = web.Application()
    application.router.add_get("/keys", entra.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificate).start()
    entra.address = f"https://localhost:{runner.addresses[0][1]}/keys"
    yield entra
    await runner.cleanup()


@pytest.fixture
def ca(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def tokens(entra: Entra, ca: Path) -> EntraTokens:
    return EntraTokens(entra.address, ca, [ARM, "https://localhost:8406"])


def mint(
    key: rsa.RSAPrivateKey = KEY, *, kid: str = "k1", audience: str = ARM, lifetime: int = 600, algorithm: str = "RS256"
) -> str:
    claims = {"aud": audience, "exp": int(time.time()) + lifetime}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


@pytest.mark.parametrize("audience", [ARM, f"{ARM}/", "https://localhost:8406"])
async def test_a_token_for_arm_is_good(tokens: EntraTokens, audience: str) -> None:
    assert await tokens.check(mint(audience=audience)) is Verdict.GOOD


async def test_a_token_for_somebody_else_is_told_apart(tokens: EntraTokens) -> None:
    assert await tokens.check(mint(audience="api://else")) is Verdict.NOT_FOR_ARM


@pytest.mark.parametrize(
    "token", [mint(OTHER), mint(lifetime=-600), mint(kid="unknown"), mint(algorithm="RS512"), "not a token"]
)
async def test_anything_else_is_invalid(tokens: EntraTokens, token: str) -> None:
    assert await tokens.check(token) is Verdict.INVALID


async def test_keys_are_fetched_once_and_unknown_ids_do_not_hammer_entra(tokens: EntraTokens, entra: Entra) -> None:
    for kid in ("k1", "k1", "unknown", "unknown"):
        await tokens.check(mint(kid=kid))
    assert entra.fetches == 1


async def test_a_new_key_is_found_after_the_cool_down(
    tokens: EntraTokens, entra: Entra, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tokens.check(mint())
    entra.publish("k2", OTHER)
    monkeypatch.setattr(tokens, "_fetched", tokens._fetched - 60)
    assert await tokens.check(mint(OTHER, kid="k2")) is Verdict.GOOD


async def test_without_keys_nothing_is_decided(ca: Path) -> None:
    tokens = EntraTokens("https://localhost:1/keys", ca, [ARM])
    assert await tokens.check(mint()) is Verdict.UNDECIDED
