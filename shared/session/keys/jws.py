"""JSON Web Signatures by a key ring: ES256, the key named by its RFC 7638 thumbprint."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from shared.base.ports import Unavailable
from shared.session.ports import KeyRing


async def signed(keys: KeyRing, kind: str, claims: Mapping[str, Any]) -> str:
    """A compact JWT of this `typ`. Raises Unavailable."""

    def text(kid: str) -> str:
        head = {"alg": "ES256", "typ": kind, "kid": kid}
        return ".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))

    return await signed_text(keys, text)


async def signed_text(keys: KeyRing, text: Callable[[str], str]) -> str:
    """What `text` says for the name of a key, and behind a dot its signature. Raises Unavailable.

    A key may have been withdrawn since it was learnt of: then there is another, and that one signs.
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
    """Of an EC P-256 key, by the coordinates of its public point."""
    length = 32
    parts = {"crv": "P-256", "kty": "EC", "x": _encoded(x.rjust(length, b"\0")), "y": _encoded(y.rjust(length, b"\0"))}
    digest = hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).digest()  # these four, in this order
    return {**parts, "kid": _encoded(digest), "alg": "ES256", "use": "sig"}


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
