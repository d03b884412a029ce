import asyncio
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from shared.adapters.signing_keys import COOL_DOWN_SECONDS, FRESH_SECONDS, STALE_SECONDS, SigningKeys
from shared.ports import Unavailable
from tests.fakes import FakeClock

PUBLIC = json.loads(RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key()))


class Issuer:
    def __init__(self) -> None:
        self.kids, self.away, self.asked = ["k1"], False, 0
        self.answer: Any = None

    async def fetch(self, _: str) -> dict[str, Any]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("entra", "away")
        return self.answer or {"keys": [{**PUBLIC, "kid": kid} for kid in self.kids]}


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def keys(issuer: Issuer, clock: FakeClock) -> SigningKeys:
    return SigningKeys(issuer.fetch, clock)


async def test_many_who_ask_at_once_cost_one_fetch(keys: SigningKeys, issuer: Issuer) -> None:
    found = await asyncio.gather(*(keys.find("a", "k1") for _ in range(50)))
    assert all(found)
    assert issuer.asked == 1


async def test_an_unknown_key_asks_again_once_a_minute(keys: SigningKeys, issuer: Issuer, clock: FakeClock) -> None:
    await keys.find("a", "k1")
    for number in range(20):
        assert await keys.find("a", f"forged {number}") is None
    assert issuer.asked == 1
    issuer.kids.append("k2")
    clock.time += COOL_DOWN_SECONDS + 1
    assert await keys.find("a", "k2")
    assert issuer.asked == 2


async def test_keys_are_fetched_anew_after_an_hour(keys: SigningKeys, issuer: Issuer, clock: FakeClock) -> None:
    await keys.find("a", "k1")
    issuer.kids = ["k2"]
    clock.time += FRESH_SECONDS + 1
    assert await keys.find("a", "k1") is None


async def test_known_keys_serve_a_day_while_the_issuer_is_away(
    keys: SigningKeys, issuer: Issuer, clock: FakeClock
) -> None:
    await keys.find("a", "k1")
    issuer.away = True
    clock.time += FRESH_SECONDS + 1
    assert await keys.find("a", "k1")
    clock.time += STALE_SECONDS
    with pytest.raises(Unavailable):
        await keys.find("a", "k1")


async def test_everybody_who_waited_for_an_issuer_that_is_away_hears_it_at_once(
    keys: SigningKeys, issuer: Issuer
) -> None:
    issuer.away = True
    told = await asyncio.gather(*(keys.find("a", "k1") for _ in range(10)), return_exceptions=True)
    assert all(isinstance(each, Unavailable) for each in told)
    assert issuer.asked == 1


@pytest.mark.parametrize(
    "answer", [{"nothing": 1}, {"keys": 5}, {"keys": ["x"]}, {"keys": [{"kty": "RSA", "kid": "k", "n": "?"}]}]
)
async def test_an_answer_that_is_no_key_set_is_unavailable(keys: SigningKeys, issuer: Issuer, answer: Any) -> None:
    issuer.answer = answer
    with pytest.raises(Unavailable, match="cannot be read"):
        await keys.find("a", "k1")
