"""The tenant's signing key. It stays in the stack's home, so tokens survive a restart."""

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

ALGORITHM = "RS256"
"""The only one Entra signs access tokens with."""


@dataclass(frozen=True)
class SigningKey:
    private: rsa.RSAPrivateKey

    @property
    def public(self) -> rsa.RSAPublicKey:
        return self.private.public_key()

    @property
    def kid(self) -> str:
        """The key's name: a hash of its public half, so the same key has the same name everywhere."""
        der = self.public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return base64.urlsafe_b64encode(hashlib.sha256(der).digest()[:20]).decode().rstrip("=")

    def published(self, issuer: str) -> dict[str, Any]:
        """Return the key as the JWKS lists it. Entra names no `alg` there, so neither does this."""
        numbers = json.loads(RSAAlgorithm.to_jwk(self.public))
        return {"kty": "RSA", "use": "sig", "kid": self.kid, "n": numbers["n"], "e": numbers["e"], "issuer": issuer}


def new_key() -> SigningKey:
    return SigningKey(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def kept_key(home: Path) -> SigningKey:
    """Read the stack's signing key; the first caller makes it. Safe in several processes at once."""
    path = home / "entra" / "signing-key.pem"
    if not path.exists():
        _create(path)
    return _parse(path.read_bytes())


@lru_cache(maxsize=4)
def _parse(pem: bytes) -> SigningKey:
    """Checking its primes takes a hundred times as long as a signature. Raises TypeError for another kind of key."""
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the signing key is no RSA key")
    return SigningKey(key)


def _create(path: Path) -> None:
    """Write a new key under a name of our own, then link it: whoever links first wins, and all read that one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_bytes(
        new_key().private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # another process was first: its key is the one
    finally:
        draft.unlink()
