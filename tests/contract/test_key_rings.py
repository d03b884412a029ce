"""KeyRing: keys that are given as PEM, and keys in a vault, through the same tests; then rotation in the vault."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import cycle
from typing import Any

import jwt
import pytest
from azure.core.exceptions import ServiceResponseTimeoutError
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import ClientSecretCredential

from dev.demo import API_SECRET, AUTOMATION, SERVICE, TENANT, Application
from dev.stack import Port
from dev.vault.keys import SESSION_KEY
from shared.base import time_limit
from shared.base.http_json import Http
from shared.base.ports import Trouble, Unavailable
from shared.base.time_limit import TimeLimit
from shared.session.key_versions import LIST_SECONDS, PUBLIC_SECONDS
from shared.session.keys.jws import signed
from shared.session.keys.jwt_tokens import JwtTokens
from shared.session.keys.pem_key_ring import PemKeyRing
from shared.session.keys.token_keys import TokenKeys
from shared.session.keys.vault_key_ring import VaultKeyRing
from shared.session.ports import KeyRing
from tests.dev.local_azure import LocalAzure
from tests.fakes import FakeClock
from tests.signing import new_pem


class Vault:
    """The key ring of a vault as one instance of the function app has it."""

    def __init__(
        self,
        azure: LocalAzure,
        name: str = SESSION_KEY,
        who: Application = SERVICE,
        clock: FakeClock | None = None,
        transport: Any = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.clock.time = max(each.created for each in azure.keys.versions[SESSION_KEY]) + PUBLIC_SECONDS
        self._credential = ClientSecretCredential(
            TENANT, who.client, who.secret, authority=azure.stack.authority, disable_instance_discovery=True,
            connection_verify=str(azure.stack.ca),
        )  # fmt: skip
        self.ring = VaultKeyRing(
            f"{azure.stack.https(Port.VAULT)}/keys/{name}", "AzureCloud", self._credential, self.clock,
            transport or AioHttpTransport(connection_verify=str(azure.stack.ca)),
        )  # fmt: skip

    async def close(self) -> None:
        await self.ring.close()
        await self._credential.close()


@pytest.fixture
async def vault(azure: LocalAzure) -> AsyncIterator[Vault]:
    made = Vault(azure)
    yield made
    await made.close()


@pytest.fixture(params=["pem", "vault"])
def ring(request: pytest.FixtureRequest) -> KeyRing:
    if request.param == "pem":
        return PemKeyRing(new_pem() + new_pem(), "SESSION_KEY")
    found: Vault = request.getfixturevalue("vault")
    return found.ring


def verified(token: str, jwks: Sequence[Any]) -> Any:
    """The claims, by the key that the token names. Raises StopIteration when it is not public."""
    kid = jwt.get_unverified_header(token)["kid"]
    return jwt.decode(token, jwt.PyJWK(next(dict(each) for each in jwks if each["kid"] == kid)), ["ES256"])


async def test_what_is_signed_is_verified_by_what_is_public(ring: KeyRing) -> None:
    token = await signed(ring, "console+jwt", {"iss": "x", "n": 1})
    assert verified(token, await ring.public()) == {"iss": "x", "n": 1}
    assert jwt.get_unverified_header(token)["typ"] == "console+jwt"


async def test_nothing_private_is_public_and_keys_are_named_by_their_thumbprint(ring: KeyRing) -> None:
    for key in await ring.public():
        assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
        assert len(key["kid"]) == 43
    assert await ring.signer() in [key["kid"] for key in await ring.public()]
    await ring.probe()


async def test_a_key_rotates_and_nobody_is_refused(azure: LocalAzure) -> None:
    """Two instances, of which one asked for the list before the rotation and one after it."""
    early, late = Vault(azure), Vault(azure)
    old = await early.ring.signer()
    azure.keys.rotate(SESSION_KEY).created = int(early.clock.time) + 1
    late.clock.time += 2
    token = await signed(late.ring, "console+jwt", {"by": "late"})
    assert verified(token, await early.ring.public()) == {"by": "late"}
    assert await late.ring.signer() == old, "the new one is public, and does not sign yet"
    assert len(await late.ring.public()) == len(await early.ring.public()) + 1
    for each in (early, late):
        each.clock.time += PUBLIC_SECONDS + LIST_SECONDS
    assert await late.ring.signer() != old
    token = await signed(late.ring, "console+jwt", {"by": "new"})
    assert verified(token, await early.ring.public()) == {"by": "new"}
    assert await early.ring.signer() == await late.ring.signer()
    await early.close()
    await late.close()


class Instances(Http):
    """The function app's address of public keys, behind which its instances take turns."""

    def __init__(self, vaults: Sequence[Vault]) -> None:
        super().__init__()
        self._turns = cycle(vaults)

    async def get_json(self, address: str, what: str) -> dict[str, Any]:  # noqa: ARG002 - the port asks it
        return {"keys": await next(self._turns).ring.public()}


async def test_a_relay_believes_every_command_while_a_key_rotates(azure: LocalAzure) -> None:
    """Forty minutes, of which the key rotates in the seventh; three instances that learnt of it at different times."""
    clock = FakeClock()
    vaults = [Vault(azure, clock=clock) for _ in range(3)]
    for each in vaults:
        await each.ring.signer()
        clock.time += 100
    relay = TokenKeys("http://keys", "http://issuer", "r0", Instances(vaults), clock)
    begun, signers = clock.time, set[str]()
    while clock.time < begun + 2400:
        for each in vaults:
            command = await JwtTokens(each.ring, "http://issuer", clock).sign_command("r0", b"{}")
            signers.add(jwt.get_unverified_header(command)["kid"])
            assert await relay.commanded(f"Bearer {command}", b"{}"), f"after {clock.time - begun} s"
        clock.time += 40
        if clock.time == begun + 400:
            azure.keys.rotate(SESSION_KEY).created = int(clock.time)
    assert len(signers) == 2
    for each in vaults:
        await each.close()


async def test_a_version_that_is_disabled_counts_no_more(azure: LocalAzure, vault: Vault) -> None:
    withdrawn = azure.keys.rotate(SESSION_KEY)
    before = await vault.ring.public()
    withdrawn.enabled = False
    vault.clock.time += LIST_SECONDS
    assert len(await vault.ring.public()) == len(before) - 1


async def test_what_is_signed_as_a_version_is_withdrawn_is_signed_by_another(azure: LocalAzure, vault: Vault) -> None:
    old = await vault.ring.signer()
    newer = azure.keys.rotate(SESSION_KEY)
    for each in azure.keys.versions[SESSION_KEY]:
        each.enabled = each is newer
    token = await signed(vault.ring, "console+jwt", {"by": "the new one"})
    assert verified(token, await vault.ring.public()) == {"by": "the new one"}
    assert jwt.get_unverified_header(token)["kid"] != old


async def test_a_version_that_cannot_be_read_takes_nothing_from_the_others(azure: LocalAzure, vault: Vault) -> None:
    known = await vault.ring.public()
    azure.keys.rotate(SESSION_KEY).pem = "no key"
    vault.clock.time += LIST_SECONDS
    assert await vault.ring.public() == known
    with pytest.raises(Unavailable, match="no such version"):
        await vault.ring.sign("none", b"x")


async def test_tokens_are_ready_while_the_vault_signs(azure: LocalAzure, vault: Vault) -> None:
    tokens = JwtTokens(vault.ring, "http://issuer", vault.clock)
    await tokens.ready()
    for each in azure.keys.versions[SESSION_KEY]:
        each.enabled = False
    with pytest.raises(Unavailable, match="no version that may sign"):
        await tokens.ready()


async def test_a_vault_that_is_away_is_unavailable_and_what_was_known_goes_on(
    azure: LocalAzure, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, kid = await vault.ring.public(), await vault.ring.signer()
    monkeypatch.setattr(azure.keys, "versions", {})
    vault.clock.time += LIST_SECONDS
    assert await vault.ring.public() == known
    assert await vault.ring.signer() == kid
    with pytest.raises(Unavailable, match="answered 404"):
        await vault.ring.sign(kid, b"x")
    with pytest.raises(Unavailable):
        await vault.ring.probe()


@pytest.mark.parametrize("problem", ["name", "role", "secret"])
async def test_why_nothing_can_be_signed_is_said(azure: LocalAzure, problem: str) -> None:
    name = "no-such-key" if problem == "name" else SESSION_KEY
    who = {"name": SERVICE, "role": AUTOMATION}.get(problem, Application(SERVICE.client, SERVICE.oid, "x", "wrong"))
    vault = Vault(azure, name, who)
    with pytest.raises(Unavailable, match=r"^key vault: ") as caught:
        await vault.ring.signer()
    assert API_SECRET not in str(caught.value)
    await vault.close()


class Asleep(AioHttpTransport):  # type: ignore[misc]  # azure-core exports it lazily
    """Says nothing: until its own time for that is over, or for ever."""

    def __init__(self, azure: LocalAzure) -> None:
        super().__init__(connection_verify=str(azure.stack.ca))
        self.asked, self.gives_up = 0, True

    async def send(self, *_: Any, **__: Any) -> Any:
        self.asked += 1
        if self.gives_up:
            raise ServiceResponseTimeoutError("silence")
        await asyncio.Event().wait()


async def test_a_vault_that_says_nothing_is_asked_once_and_no_longer_than_the_request_lasts(
    azure: LocalAzure, vault: Vault
) -> None:
    kid = await vault.ring.signer()
    transport = Asleep(azure)
    silent = Vault(azure, clock=vault.clock, transport=transport)
    with pytest.raises(Unavailable) as told:
        await silent.ring.signer()
    assert (told.value.what, told.value.trouble, transport.asked) == ("key vault", Trouble.SILENT, 1)
    transport.gives_up = False
    before = time_limit.current.set(TimeLimit(0.2))
    with pytest.raises(Unavailable) as told:
        await silent.ring.public()
    assert told.value.trouble is Trouble.SLOW
    with pytest.raises(Unavailable) as told:
        await vault.ring.sign(kid, b"x")
    assert told.value.trouble is Trouble.LATE, "another that would have answered"
    time_limit.current.reset(before)
    await silent.close()
