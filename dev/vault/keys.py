"""EC P-256 keys in versions, on disk: what was signed stays verifiable over a restart."""

import json
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

SESSION_KEY, STATEMENT_KEY = NAMES = ("session-tokens", "statements")
_COORDINATE = 32


@dataclass
class Version:
    name: str
    pem: str
    created: int
    enabled: bool = True

    def sign(self, digest: bytes) -> bytes:
        """R and s, as JSON Web Signatures have them."""
        r, s = decode_dss_signature(self._key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
        return r.to_bytes(_COORDINATE) + s.to_bytes(_COORDINATE)

    @property
    def point(self) -> tuple[bytes, bytes]:
        """The coordinates of the public key."""
        numbers = self._key.public_key().public_numbers()
        return numbers.x.to_bytes(_COORDINATE), numbers.y.to_bytes(_COORDINATE)

    @property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        key = load_pem_private_key(self.pem.encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"version {self.name} is no EC key")
        return key


@dataclass
class Keys:
    """By name, each key's versions, oldest first. Kept in `path`, for its owner alone."""

    path: Path
    versions: dict[str, list[Version]] = field(default_factory=dict[str, list[Version]])

    @classmethod
    def kept(cls, home: Path) -> "Keys":
        """Those of this stack; both of the service's keys are made at the first start."""
        keys = cls(home / "vault" / "keys.json")
        if keys.path.exists():
            said: dict[str, list[dict[str, Any]]] = json.loads(keys.path.read_text())
            keys.versions = {name: [Version(**each) for each in versions] for name, versions in said.items()}
        for name in NAMES:
            if name not in keys.versions:
                keys.rotate(name)
        return keys

    def rotate(self, name: str) -> Version:
        """A new version."""
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        made = Version(secrets.token_hex(16), pem.decode(), int(time.time()))
        self.versions.setdefault(name, []).append(made)
        self.save()
        return made

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(f".{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({name: [vars(each) for each in all_] for name, all_ in self.versions.items()}))
        fresh.replace(self.path)
