"""Statements about transcripts as JWTs, ES256 with EC P-256 keys of their own: they are read for years."""

from collections.abc import Mapping
from typing import Any

import jwt

from shared.adapters.jwt_tokens import load_key, public_jwk
from shared.domain.ledger import BadStatement, Statement, claims, read_statement

STATEMENT_TYPE = "statement+jwt"


class StatementKeys:
    """Reads what was signed with any of its keys."""

    def __init__(self, jwks: Mapping[str, Any]) -> None:
        """Raises BadStatement when it is no JWKS."""
        try:
            self.jwks = {"keys": [dict(each) for each in jwks["keys"]]}
            self._keys = {str(each["kid"]): jwt.PyJWK(each, "ES256") for each in self.jwks["keys"]}
        except (KeyError, TypeError, ValueError, jwt.PyJWTError) as error:
            raise BadStatement("not a JWKS with the public keys of statements") from error

    def read(self, text: str) -> Statement:
        """Raises BadStatement."""
        try:
            header = jwt.get_unverified_header(text)
            if header.get("typ") != STATEMENT_TYPE:
                raise BadStatement("a token of another kind")
            said = jwt.decode(text, self._keys[header["kid"]], ["ES256"], {"verify_aud": False, "verify_exp": False})
        except (KeyError, TypeError, jwt.PyJWTError) as error:
            raise BadStatement("not signed by any of the keys") from error
        return read_statement(said)


class StatementSigner(StatementKeys):
    def __init__(self, pems: str, issuer: str) -> None:
        """`pems`: one private key or several; the first signs, the others were used before. Raises NotASigningKey."""
        keys = [load_key(pem, "STATEMENT_KEY") for pem in _each(pems.replace("\\n", "\n"))]
        super().__init__({"keys": [public_jwk(key) for key in keys]})
        self._key, self._issuer = keys[0], issuer
        self._kid = self.jwks["keys"][0]["kid"]

    def sign(self, statement: Statement) -> str:
        said = {"iss": self._issuer, **claims(statement)}
        return jwt.encode(said, self._key, "ES256", headers={"typ": STATEMENT_TYPE, "kid": self._kid})


def _each(pems: str) -> list[str]:
    """At least one, which may be no key."""
    head, *rest = pems.split("-----BEGIN ")
    return [f"-----BEGIN {each}" for each in rest] or [head]
