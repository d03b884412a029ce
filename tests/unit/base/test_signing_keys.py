import asyncio
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from shared.base.ports import Dependency, Unavailable
from shared.base.signing_keys import (
    COOL_DOWN_SECONDS,
    EMPTY_COOL_DOWN_SECONDS,
    FRESH_SECONDS,
    STALE_SECONDS,
    SigningKeys,
)
from tests.fakes import FakeClock
from tests.patience import PATIENCE

PUBLIC = json.loads(RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key()))

CURVE = json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))


class Issuer:
    def __init__(self) -> None:
        self.kids, self.away, self.asked = ["k1"], False, 0
        self.answer: Any = None
        self.asked_now, self.answering = asyncio.Event(), asyncio.Event()
        self.answering.set()

    def hold(self) -> None:
        """Answers nobody until `answering` is set."""
        self.asked_now.clear()
        self.answering.clear()

    async def fetch(self, _: str) -> dict[str, Any]:
        self.asked += 1
        self.asked_now.set()
        await asyncio.sleep(0)
        await self.answering.wait()
        if self.away:
            raise Unavailable(Dependency.ENTRA, "away")
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
    for _ in range(2):  # not even right after it was refused, when the issuer is not asked again
        with pytest.raises(Unavailable):
            await keys.find("a", "k1")
    issuer.away = False
    clock.time += EMPTY_COOL_DOWN_SECONDS + 1
    assert await keys.find("a", "k1")


async def test_everybody_who_waited_for_an_issuer_that_is_away_hears_it_at_once(
    keys: SigningKeys, issuer: Issuer
) -> None:
    issuer.away = True
    told = await asyncio.gather(*(keys.find("a", "k1") for _ in range(10)), return_exceptions=True)
    assert all(isinstance(each, Unavailable) for each in told)
    assert issuer.asked == 1


async def test_an_issuer_that_is_away_is_not_hammered_by_those_who_cannot_be_let_in(
    keys: SigningKeys, issuer: Issuer, clock: FakeClock
) -> None:
    issuer.away = True
    for number in range(20):
        with pytest.raises(Unavailable):
            await keys.find("a", f"k{number}")
    assert issuer.asked == 1
    issuer.away = False
    clock.time += EMPTY_COOL_DOWN_SECONDS + 0.1
    assert await keys.find("a", "k1")


async def test_nobody_with_a_known_key_waits_for_a_question_about_an_unknown_one(
    keys: SigningKeys, issuer: Issuer, clock: FakeClock
) -> None:
    await keys.find("a", "k1")
    clock.time += COOL_DOWN_SECONDS + 1
    issuer.hold()
    unknown = asyncio.ensure_future(keys.find("a", "forged"))
    await issuer.asked_now.wait()
    assert await asyncio.wait_for(keys.find("a", "k1"), PATIENCE)
    assert not unknown.done()
    issuer.answering.set()
    assert await unknown is None


async def test_a_new_key_is_found_by_whoever_asks_while_a_question_is_on_its_way(
    keys: SigningKeys, issuer: Issuer, clock: FakeClock
) -> None:
    await keys.find("a", "k1")
    clock.time += COOL_DOWN_SECONDS + 1
    issuer.hold()
    issuer.kids.append("k2")
    found = asyncio.gather(*(keys.find("a", kid) for kid in ("forged", "k2", "k2")))
    await issuer.asked_now.wait()
    issuer.answering.set()
    assert [bool(key) for key in await found] == [False, True, True]
    assert issuer.asked == 2


@pytest.mark.parametrize("answer", [{"keys": []}, {"keys": [{"kty": "EC", "kid": "k2"}]}, {"error": "busy"}])
async def test_an_issuer_that_lost_its_keys_takes_none_from_us(
    keys: SigningKeys, issuer: Issuer, clock: FakeClock, answer: Any
) -> None:
    await keys.find("a", "k1")
    issuer.answer = answer
    clock.time += FRESH_SECONDS + 1
    assert await keys.find("a", "k1")


@pytest.mark.parametrize(
    "answer",
    [{"nothing": 1}, {"keys": 5}, {"keys": []}, {"keys": ["x"]}, {"keys": [{"kty": "RSA", "kid": "k", "n": "?"}]}],
)
async def test_an_answer_that_is_no_key_set_is_unavailable(keys: SigningKeys, issuer: Issuer, answer: Any) -> None:
    issuer.answer = answer
    with pytest.raises(Unavailable, match="cannot be read"):
        await keys.find("a", "k1")


async def test_keys_of_another_algorithm_are_passed_over(issuer: Issuer, clock: FakeClock) -> None:
    issuer.answer = {"keys": [{**PUBLIC, "kid": "r"}, {**CURVE, "kid": "e"}, {**CURVE, "kid": "x", "alg": "ES384"}]}
    for algorithm, found in {"RS256": ["r"], "ES256": ["e"]}.items():
        keys = SigningKeys(issuer.fetch, clock, issuer=Dependency.CONTROL_PLANE, algorithm=algorithm)
        assert [kid for kid in ("r", "e", "x") if await keys.find("a", kid)] == found
    issuer.answer = {"keys": []}
    with pytest.raises(Unavailable, match="control plane"):
        await SigningKeys(issuer.fetch, clock, issuer=Dependency.CONTROL_PLANE).find("a", "r")
