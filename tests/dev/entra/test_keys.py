from pathlib import Path

import jwt

from dev.demo import ADA, API_CLIENT
from dev.entra.issuer import Issuer
from dev.entra.keys import kept_key, new_key
from dev.stack import Stack


def test_the_key_outlives_a_restart_and_is_the_owners_alone(tmp_path: Path) -> None:
    first = kept_key(tmp_path)
    assert kept_key(tmp_path).kid == first.kid
    kept = tmp_path / "entra" / "signing-key.pem"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert list(kept.parent.iterdir()) == [kept], "no drafts are left behind"


def test_a_token_verifies_with_the_published_key() -> None:
    key = new_key()
    token = Issuer(Stack(), key).user_token(ADA, audience=API_CLIENT, scope="Console.Access", client="c")
    published = jwt.PyJWK(key.published("https://issuer"))
    assert jwt.decode(token, published, algorithms=["RS256"], audience=API_CLIENT)["oid"] == ADA.oid
    assert jwt.get_unverified_header(token)["kid"] == published.key_id
