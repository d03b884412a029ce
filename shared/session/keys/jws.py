"""Makes JSON Web Signatures with a key ring: ES256. The key's id is its RFC 7638 thumbprint."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from shared.base.ports import Unavailable
from shared.session.ports import KeyRing


async def signed(keys: KeyRing, kind: str, claims: Mapping[str, Any]) -> str:
    """Returns a compact JWT of this `typ`. Raises Unavailable."""

    def text(kid: str) -> str:
        head = {"alg": "ES256", "typ": kind, "kid": kid}
        return ".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))

    return await signed_text(keys, text)


async def signed_text(keys: KeyRing, text: Callable[[str], str]) -> str:
    """Returns a text, a dot and the text's signature. `text` gets the key's id. Raises Unavailable.

    If the key was disabled since it was listed, another key signs.
    """
    kid = await keys.signer()
    try:
        signature = await keys.sign(kid, text(kid).encode())
    except Unavailable:
        if (other := await keys.signer()) == kid:
            raise
        kid, signature = other, await keys.sign(other, text(other).encode())
    return f"{text(kid)}.{_encoded(signature)}"


def public_jwk(x: bytes, y: bytes) -> dict[str, str]:
    """Returns the JWK of an EC P-256 key with these coordinates."""
    length = 32
    parts = {"crv": "P-256", "kty": "EC", "x": _encoded(x.rjust(length, b"\0")), "y": _encoded(y.rjust(length, b"\0"))}
    digest = hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).digest()  # these four, in this order
    return {**parts, "kid": _encoded(digest), "alg": "ES256", "use": "sig"}


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
