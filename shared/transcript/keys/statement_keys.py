"""Statements about transcripts as JWTs, ES256 with EC P-256 keys of their own: they are read for years."""

from collections.abc import Mapping
from typing import Any

import jwt

from shared.session.keys.jws import signed
from shared.session.ports import KeyRing
from shared.transcript.signed_statements import InvalidStatement, Statement, claims, read_statement

STATEMENT_TYPE = "statement+jwt"


class StatementKeys:
    """Reads what was signed with any of its keys."""

    def __init__(self, jwks: Mapping[str, Any]) -> None:
        """Raises InvalidStatement when it is no JWKS."""
        try:
            self.jwks = {"keys": [dict(each) for each in jwks["keys"]]}
            self._keys = {str(each["kid"]): jwt.PyJWK(each, "ES256") for each in self.jwks["keys"]}
        except (KeyError, TypeError, ValueError, jwt.PyJWTError) as error:
            raise InvalidStatement("not a JWKS with the public keys of statements") from error

    def read(self, text: str) -> Statement:
        """Raises InvalidStatement."""
        try:
            header = jwt.get_unverified_header(text)
            if header.get("typ") != STATEMENT_TYPE:
                raise InvalidStatement("a token of another kind")
            claims = jwt.decode(text, self._keys[header["kid"]], ["ES256"], {"verify_aud": False, "verify_exp": False})
        except (KeyError, TypeError, jwt.PyJWTError) as error:
            raise InvalidStatement("not signed by any of the keys") from error
        return read_statement(claims)


class StatementSigner:
    """Signs statements, and reads them by the keys of the same ring."""

    def __init__(self, keys: KeyRing, issuer: str) -> None:
        self._keys, self._issuer = keys, issuer

    async def sign(self, statement: Statement) -> str:
        """Raises Unavailable."""
        return await signed(self._keys, STATEMENT_TYPE, {"iss": self._issuer, **claims(statement)})

    async def reader(self) -> StatementKeys:
        """Raises Unavailable."""
        return StatementKeys({"keys": list(await self._keys.public())})
