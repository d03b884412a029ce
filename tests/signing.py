"""What a key that is given as PEM signs, for tests that forge, replay and outdate tokens."""

from collections.abc import Coroutine
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.base.ports import Clock
from shared.session.grant import Grant
from shared.session.keys.jwt_tokens import JwtTokens
from shared.session.keys.pem_key_ring import PemKeyRing


def new_pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def at_once[T](work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine answers that waits for nothing: keys that are given as PEM are here."""
    try:
        work.send(None)
    except StopIteration as done:
        answer: T = done.value
        return answer
    raise AssertionError("it waits")


class PemTokens:
    """JwtTokens of one key, answered at once."""

    def __init__(self, pem: str, issuer: str, clock: Clock) -> None:
        self.tokens = JwtTokens(PemKeyRing(pem, "SESSION_KEY"), issuer, clock)

    def sign(self, grant: Grant) -> str:
        return at_once(self.tokens.sign(grant))

    def sign_command(self, relay: str, body: bytes) -> str:
        return at_once(self.tokens.sign_command(relay, body))

    def public_keys(self) -> dict[str, Any]:
        return at_once(self.tokens.public_keys())
