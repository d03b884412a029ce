import hashlib
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.session.grant import COMMAND_TYPE, TOKEN_TYPE, Grant, Mode
from shared.session.keys.pem_key_ring import NotASigningKey, PemKeyRing
from tests.fakes import NOW, VM, FakeClock
from tests.signing import PemTokens


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


KEY = pem(ec.generate_private_key(ec.SECP256R1()))
TOKENS = PemTokens(KEY, "http://issuer", FakeClock())
NO_TIMES: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}


def test_a_session_token_is_verified_by_the_public_keys() -> None:
    now = int(NOW)
    grant = Grant("id", "sid", "t.o", "Ada", VM, Mode.WATCH, 3, "relay:r0", "http://issuer", now, now + 30)
    token = TOKENS.sign(grant)
    (key,) = TOKENS.public_keys()["keys"]
    header = jwt.get_unverified_header(token)
    assert header == {"alg": "ES256", "typ": TOKEN_TYPE, "kid": key["kid"]}
    claims = jwt.decode(token, jwt.PyJWK(key), ["ES256"], audience="relay:r0", options=NO_TIMES)
    assert Grant.from_claims(claims) == grant


def test_a_command_is_bound_to_its_relay_and_its_very_bytes() -> None:
    token = TOKENS.sign_command("r0", b"body")
    (key,) = TOKENS.public_keys()["keys"]
    assert jwt.get_unverified_header(token)["typ"] == COMMAND_TYPE
    claims = jwt.decode(token, jwt.PyJWK(key), ["ES256"], audience="relay:r0", options=NO_TIMES)
    assert (claims["iss"], claims["body"]) == ("http://issuer", hashlib.sha256(b"body").hexdigest())
    assert claims["exp"] - claims["iat"] == 30


def test_public_keys_hold_no_private_part_and_are_named_by_their_thumbprint() -> None:
    (key,) = TOKENS.public_keys()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    # RFC 7638: SHA-256 of the required members in lexicographic order.
    digest = hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{key["x"]}","y":"{key["y"]}"}}'.encode()).digest()
    assert jwt.utils.base64url_encode(digest).decode() == key["kid"]


def test_a_pem_with_its_line_breaks_spelled_out_is_read() -> None:
    assert PemTokens(KEY.replace("\n", "\\n"), "i", FakeClock()).public_keys() == TOKENS.public_keys()


@pytest.mark.parametrize(
    "wrong", ["", "secret", pem(ec.generate_private_key(ec.SECP384R1())), pem(rsa.generate_private_key(65537, 2048))]
)
def test_another_key_is_refused_and_not_shown(wrong: str) -> None:
    with pytest.raises(NotASigningKey) as error:
        PemKeyRing(wrong, "SESSION_KEY")
    assert str(error.value).startswith("SESSION_KEY is ")
