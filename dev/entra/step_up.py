"""A stronger sign-in: what a client asks for in `claims`, what a person has done, what the tenant demands.

Conditional access names an authentication context (`acrs`: c1 to c99) that an application asks for itself, or a policy
of the tenant (`capolids`) that it learns of when on-behalf-of is refused.
Source: https://learn.microsoft.com/entra/identity-platform/v2-conditional-access-dev-guide
"""

import json
from dataclasses import dataclass
from typing import Any, Self

from dev.entra.refusals import RefusedError

MFA = "6f0c0000-0000-4000-8000-0000000000f1"
"""The tenant's one policy: a second factor for Azure Resource Manager."""


@dataclass(frozen=True)
class Proofs:
    """Contexts and policies: asked for, or satisfied. `capable`: the client handles claims challenges."""

    contexts: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()
    capable: bool = False

    @classmethod
    def asked(cls, claims: str) -> Self:
        """Read the `claims` parameter. Raises RefusedError."""
        try:
            said = (json.loads(claims) if claims else {}).get("access_token") or {}
            return cls(_values(said, "acrs"), _values(said, "capolids"), "cp1" in _values(said, "xms_cc", lower=True))
        except (ValueError, AttributeError, TypeError) as broken:
            raise RefusedError(9002313) from broken

    def covers(self, asked: Self) -> bool:
        return asked.contexts <= self.contexts and asked.policies <= self.policies

    def joined(self, other: Self) -> "Proofs":
        return Proofs(
            self.contexts | other.contexts, self.policies | other.policies, self.capable or other.capable
        )  # fmt: skip

    def as_claims(self) -> dict[str, Any]:
        """What a token says of them."""
        return {
            "acrs": sorted(self.contexts) or None,
            "capolids_latebind": sorted(self.policies) or None,
            "xms_cc": ["CP1"] if self.capable else None,
        }


def _values(said: dict[str, Any], name: str, *, lower: bool = False) -> frozenset[str]:
    wanted = said.get(name) or {}
    values = wanted.get("values") or ([wanted["value"]] if "value" in wanted else [])
    return frozenset(str(value).lower() if lower else str(value) for value in values)


def demanded(policy: str, resource: str) -> RefusedError:
    """Refuse on-behalf-of until the policy is satisfied; the claims say how."""
    refusal = RefusedError(50076, resource=resource)
    refusal.claims = json.dumps({"access_token": {"capolids": {"essential": True, "values": [policy]}}})
    return refusal
