import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from dev import tls
from dev.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(home=tmp_path)


def test_it_is_made_once_and_kept_over_restarts(stack: Stack) -> None:
    tls.ensure(stack)
    made = stack.ca.read_bytes(), stack.certificate.read_bytes()
    tls.ensure(stack)
    assert (stack.ca.read_bytes(), stack.certificate.read_bytes()) == made


def test_key_files_are_the_owners_alone(stack: Stack) -> None:
    tls.ensure(stack)
    for key in (stack.certificate, stack.ca.with_name("ca-key.pem")):
        assert key.stat().st_mode & 0o777 == 0o600


def test_a_server_and_a_strict_client_can_load_it(stack: Stack) -> None:
    tls.ensure(stack)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(stack.certificate)
    ssl.create_default_context(cafile=str(stack.ca))
    names = x509.load_pem_x509_certificates(stack.certificate.read_bytes())[0].extensions
    alternatives = names.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternatives.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(one) for one in alternatives.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_a_certificate_near_its_end_is_renewed_under_the_same_authority(stack: Stack) -> None:
    tls.ensure(stack)
    authority = trustme.CA.from_pem(stack.ca.read_bytes(), stack.ca.with_name("ca-key.pem").read_bytes())
    old = authority.issue_cert("localhost", not_after=datetime.now(UTC) + tls.RENEW_BEFORE / 2)
    stack.certificate.write_bytes(old.private_key_and_cert_chain_pem.bytes())
    ca = stack.ca.read_bytes()
    tls.ensure(stack)
    left = x509.load_pem_x509_certificates(stack.certificate.read_bytes())[0].not_valid_after_utc - datetime.now(UTC)
    assert left > tls.RENEW_BEFORE
    assert stack.ca.read_bytes() == ca


def test_what_is_damaged_is_made_anew(stack: Stack) -> None:
    tls.ensure(stack)
    stack.ca.write_text("not a certificate")
    tls.ensure(stack)
    ssl.create_default_context(cafile=str(stack.ca))
