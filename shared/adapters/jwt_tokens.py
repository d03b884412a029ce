"""Session tokens and relay commands: JWTs, ES256 with an EC P-256 key.

Each kind has a `typ` of its own, so that neither passes for the other. `kid` is the key's RFC 7638 thumbprint.
"""

import base64
import hashlib
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm

from shared.domain.grant import COMMAND_TYPE, TOKEN_TYPE, Grant
from shared.ports import Clock

COMMAND_SECONDS = 30


class NotASigningKey(ValueError):
    """The setting holds something else than an EC P-256 private key in PEM."""


class JwtTokens:
    def __init__(self, pem: str, issuer: str, clock: Clock) -> None:
        """Raises NotASigningKey. App settings often spell a PEM's line breaks out: read too."""
        self._key, self._issuer, self._clock = load_key(pem.replace("\\n", "\n"), "SESSION_KEY"), issuer, clock
        self._jwk = public_jwk(self._key)

    def sign(self, grant: Grant) -> str:
        return self._signed(grant.claims(), TOKEN_TYPE)

    def sign_command(self, relay: str, body: bytes) -> str:
        now = int(self._clock.now())
        claims = {"iss": self._issuer, "aud": f"relay:{relay}", "iat": now, "exp": now + COMMAND_SECONDS}
        return self._signed({**claims, "body": hashlib.sha256(body).hexdigest()}, COMMAND_TYPE)

    def public_keys(self) -> dict[str, Any]:
        return {"keys": [self._jwk]}

    def _signed(self, claims: dict[str, Any], kind: str) -> str:
        return jwt.encode(claims, self._key, "ES256", headers={"typ": kind, "kid": self._jwk["kid"]})


def load_key(pem: str, setting: str) -> ec.EllipticCurvePrivateKey:
    """`setting` is named where it is none. Raises NotASigningKey."""
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError) as error:
        raise NotASigningKey(f"{setting} is not a private key in PEM") from error
    if not (isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)):
        raise NotASigningKey(f"{setting} is not an EC P-256 key")
    return key


def public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    made = json.loads(ECAlgorithm.to_jwk(key.public_key()))
    parts = {name: made[name] for name in ("crv", "kty", "x", "y")}  # RFC 7638: these four, in this order
    digest = hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).digest()
    return {**parts, "kid": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), "alg": "ES256", "use": "sig"}
