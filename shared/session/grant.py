"""The claims of a session token: one person's right to attach to one console, once, within 30 seconds."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from shared.base.vm import VmId

TOKEN_TYPE = "console+jwt"  # noqa: S105 - a media type
"""The `typ` in the header of a session token. No other kind of token is accepted as one."""
COMMAND_TYPE = "console-command+jwt"
"""The `typ` of the tokens by which the function app commands a relay."""
MAX_SECONDS = 30


class Mode(StrEnum):
    WRITE = "write"
    WATCH = "watch"

    @property
    def writes(self) -> bool:
        return self is Mode.WRITE


class InvalidGrant(ValueError):
    """A correctly signed token whose claims are not those of a session token."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The claims. `audience` is `relay:{name}`: other relays refuse the token. Times are seconds since 1970."""

    token_id: str
    session: str
    subject: str
    name: str
    vm: VmId
    mode: Mode
    generation: int
    audience: str
    issuer: str
    issued_at: int
    expires_at: int

    def claims(self) -> dict[str, Any]:
        return {
            "iss": self.issuer, "aud": self.audience, "sub": self.subject, "name": self.name, "jti": self.token_id,
            "sid": self.session, "vm": self.vm.resource_id, "port": 0, "mode": self.mode.value,
            "gen": self.generation, "iat": self.issued_at, "nbf": self.issued_at, "exp": self.expires_at,
        }  # fmt: skip

    @classmethod
    def from_claims(cls, claims: dict[str, Any]) -> Self:
        """Reads claims whose signature, issuer, audience and times are verified already. Raises InvalidGrant."""
        try:
            grant = cls(
                token_id=str(claims["jti"]), session=str(claims["sid"]), subject=str(claims["sub"]),
                name=str(claims["name"]), vm=VmId.parse(str(claims["vm"])), mode=Mode(claims["mode"]),
                generation=int(claims["gen"]), audience=str(claims["aud"]), issuer=str(claims["iss"]),
                issued_at=int(claims["iat"]), expires_at=int(claims["exp"]),
            )  # fmt: skip
        except (KeyError, ValueError, TypeError) as error:
            raise InvalidGrant("the token does not carry the claims of a session token") from error
        if claims.get("port") != 0 or grant.expires_at - grant.issued_at > MAX_SECONDS:
            raise InvalidGrant(f"a session token is for port 0 and lives at most {MAX_SECONDS} s")
        return grant
