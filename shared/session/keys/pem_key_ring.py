"""Signing keys in PEM, for an installation without a Key Vault. The first one signs; all of them verify."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from shared.session.keys.jws import public_jwk

_COORDINATE = 32


class NotASigningKey(ValueError):
    """The setting holds something else than EC P-256 private keys in PEM, or a key's address in a vault."""


class PemKeyRing:
    """A shared.session.ports.KeyRing."""

    def __init__(self, pems: str, setting: str) -> None:
        """Reads the keys; line breaks may be spelt out, as app settings often do. Raises NotASigningKey."""
        keys = [_loaded(pem, setting) for pem in _each(pems.replace("\\n", "\n"))]
        self._keys = {_jwk(key)["kid"]: key for key in keys}

    async def public(self) -> list[dict[str, str]]:
        return [_jwk(key) for key in self._keys.values()]

    async def signer(self) -> str:
        return next(iter(self._keys))

    async def probe(self) -> None:
        """Does nothing: the keys are in memory."""

    async def sign(self, kid: str, message: bytes) -> bytes:
        r, s = decode_dss_signature(self._keys[kid].sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(_COORDINATE) + s.to_bytes(_COORDINATE)


def _each(pems: str) -> list[str]:
    """Splits PEM text into keys. It returns at least one text, which may not be a key."""
    head, *rest = pems.split("-----BEGIN ")
    return [f"-----BEGIN {each}" for each in rest] or [head]


def _loaded(pem: str, setting: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError) as error:
        raise NotASigningKey(f"{setting} is neither a key's address in a vault nor a private key in PEM") from error
    if not (isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)):
        raise NotASigningKey(f"{setting} is not an EC P-256 key")
    return key


def _jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    point = key.public_key().public_numbers()
    return public_jwk(point.x.to_bytes(_COORDINATE), point.y.to_bytes(_COORDINATE))
