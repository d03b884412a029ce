"""The local Azure's own certificate: an authority of its own, and one certificate for `localhost` and 127.0.0.1.

The SDKs insist on https. They trust it through SSL_CERT_FILE and REQUESTS_CA_BUNDLE, both set to `Stack.ca`.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509

from dev.stack import Stack

NAMES = ("localhost", "127.0.0.1")
LIFETIME = timedelta(days=397)
"""Apple's limit for a server's certificate; the other systems accept it too."""
RENEW_BEFORE = timedelta(days=30)


def ensure(stack: Stack) -> None:
    """Make the authority and the certificate unless both are there and good for another 30 days.

    Safe to call from several processes at once. A running server keeps the certificate it started with.
    """
    folder = stack.ca.parent
    folder.mkdir(parents=True, exist_ok=True)
    with _only_one(folder / "lock"):
        authority = _kept_authority(stack) or _new_authority(stack)
        if not _fresh(stack.certificate):
            _issue(authority, stack)


def _key_file(stack: Stack) -> Path:
    return stack.ca.with_name("ca-key.pem")


def _kept_authority(stack: Stack) -> trustme.CA | None:
    if not (_fresh(stack.ca) and _key_file(stack).exists()):
        return None
    return trustme.CA.from_pem(stack.ca.read_bytes(), _key_file(stack).read_bytes())


def _new_authority(stack: Stack) -> trustme.CA:
    """Make an authority; whatever an older one has signed goes with it."""
    authority = trustme.CA(organization_name="Local Azure (development only)")
    stack.certificate.unlink(missing_ok=True)
    write_private(_key_file(stack), authority.private_key_pem.bytes())
    stack.ca.write_bytes(authority.cert_pem.bytes())
    return authority


def _issue(authority: trustme.CA, stack: Stack) -> None:
    expires = datetime.now(UTC) + LIFETIME
    leaf = authority.issue_cert(*NAMES, common_name="localhost", not_after=expires)
    write_private(stack.certificate, leaf.private_key_and_cert_chain_pem.bytes())


def _fresh(pem: Path) -> bool:
    """Whether the file's first certificate is readable and not about to expire."""
    try:
        certificate = x509.load_pem_x509_certificates(pem.read_bytes())[0]
    except (FileNotFoundError, ValueError):
        return False
    return certificate.not_valid_after_utc - datetime.now(UTC) > RENEW_BEFORE


def write_private(path: Path, content: bytes) -> None:
    """Replace a file so that only its owner could ever read it, and nobody a half of it."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
