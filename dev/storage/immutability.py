"""Container-level WORM policies: what they forbid, and with which answer. Pure.

Sources: MicrosoftDocs/azure-docs, articles/storage/blobs/immutable-container-level-worm-policies.md (table "Scenarios",
its notes 1 and 2, "Allow protected append blobs writes") and immutable-legal-hold-overview.md; the error codes are
those of the REST reference, "Azure Blob Storage error codes".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

DAY_SECONDS = 86_400.0
BY_POLICY = ("BlobImmutableDueToPolicy", "This operation is not permitted as the blob is immutable due to a policy.")
BY_HOLD = (
    "BlobImmutableDueToLegalHold",
    "This operation is not permitted as the blob is immutable due to one or more legal holds.",
)
"""Both are answered with 409."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Of one container. A fresh one forbids nothing."""

    days: int = 0
    """Of a time-based retention policy, locked or not: both protect alike; 0: there is none."""
    appends: bool = False
    """allowProtectedAppendWrites, or ...All, of that policy. What ...All adds, no request of the Blob API can use."""
    hold: bool = False
    hold_appends: bool = False
    """allowProtectedAppendWritesAll of the hold: the only kind that a hold has."""


AS_DEPLOYED = {name: Policy(days=90, appends=True) for name in ("transcripts", "checkpoints")}
"""By container: infra/modules/transcripts.bicep with the `immutableDays` of infra/prod.bicepparam."""


@dataclass(frozen=True, slots=True)
class There:
    """A blob that is there; times are seconds since 1970."""

    created: float
    changed: float
    is_append_blob: bool


class Operation(Enum):
    WRITE = auto()
    """Put Blob, Copy Blob, Put Block List: a new blob, or one in the place of another."""
    APPEND = auto()
    CHANGE = auto()
    """Metadata, properties, snapshots, pages, a seal."""
    DELETE = auto()
    OTHER = auto()
    """What reads, and what is allowed: leases, tiers (immutable-storage-overview.md, "Access tiers"), staged blocks."""


_BY_COMP = {
    "blocklist": Operation.WRITE,
    "appendblock": Operation.APPEND,
    "metadata": Operation.CHANGE,
    "properties": Operation.CHANGE,
    "snapshot": Operation.CHANGE,
    "page": Operation.CHANGE,
    "incrementalcopy": Operation.CHANGE,
    "seal": Operation.CHANGE,
}


def operation(method: str, query: Mapping[str, str]) -> Operation:
    """What a request to a blob's address is."""
    comp = query.get("comp", "")
    if method == "DELETE":
        return Operation.DELETE
    if method != "PUT":
        return Operation.OTHER
    return _BY_COMP.get(comp, Operation.OTHER) if comp else Operation.WRITE


def forbidden(policy: Policy, what: Operation, blob: There | None, now: float) -> tuple[str, str] | None:
    """The error code and its text, or None for what may go on. `blob` is what lies at the address now."""
    if blob is None or what is Operation.OTHER:
        return None  # note 1: a new blob may be written
    if policy.hold and not (what is Operation.APPEND and policy.hold_appends):
        return BY_HOLD
    if not policy.days or (what is Operation.APPEND and policy.appends):  # note 2
        return None
    if what is Operation.DELETE and now >= _until(policy, blob):
        return None  # after its time a blob may be deleted, never overwritten
    return BY_POLICY


def _until(policy: Policy, blob: There) -> float:
    """Where appends are allowed, an append blob's time begins with its last change, else with its creation."""
    begun = blob.changed if policy.appends and blob.is_append_blob else blob.created
    return begun + policy.days * DAY_SECONDS
