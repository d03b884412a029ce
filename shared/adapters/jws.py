"""JSON Web Signatures by a key ring: ES256, the key named by its RFC 7638 thumbprint."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from shared.ports import KeyRing


async def signed(keys: KeyRing, kind: str, claims: Mapping[str, Any]) -> str:
    """A compact JWT of this `typ`. Raises Unavailable."""
    kid = await keys.signer()
    head = {"alg": "ES256", "typ": kind, "kid": kid}
    text = ".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
    return f"{text}.{_encoded(await keys.sign(kid, text.encode()))}"


def public_jwk(x: bytes, y: bytes) -> dict[str, str]:
    """Of an EC P-256 key, by the coordinates of its public point."""
    length = 32
    parts = {"crv": "P-256", "kty": "EC", "x": _encoded(x.rjust(length, b"\0")), "y": _encoded(y.rjust(length, b"\0"))}
    digest = hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).digest()  # these four, in this order
    return {**parts, "kid": _encoded(digest), "alg": "ES256", "use": "sig"}


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
