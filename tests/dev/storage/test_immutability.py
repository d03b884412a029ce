"""What the stand-in for immutable storage forbids: Microsoft's table of scenarios, row by row."""

import re

import pytest

from dev.stack import ROOT
from dev.storage.immutability import (
    AS_DEPLOYED,
    BY_HOLD,
    BY_POLICY,
    DAY_SECONDS,
    Operation,
    Policy,
    There,
    forbidden,
    operation,
)

OLD, NOW = 1_000.0, 1_000.0 + 5 * DAY_SECONDS
LOG = There(created=OLD, changed=OLD + 3 * DAY_SECONDS, is_append_blob=True)
LETTER = There(created=OLD, changed=OLD, is_append_blob=False)
KEPT, OVER = Policy(days=10), Policy(days=5)
WRITES = (Operation.WRITE, Operation.CHANGE, Operation.APPEND)


@pytest.mark.parametrize(
    ("method", "comp", "what"),
    [
        ("PUT", "", Operation.WRITE),
        ("PUT", "blocklist", Operation.WRITE),
        ("PUT", "appendblock", Operation.APPEND),
        ("PUT", "metadata", Operation.CHANGE),
        ("PUT", "properties", Operation.CHANGE),
        ("PUT", "snapshot", Operation.CHANGE),
        ("PUT", "page", Operation.CHANGE),
        ("PUT", "incrementalcopy", Operation.CHANGE),
        ("PUT", "lease", Operation.OTHER),
        ("PUT", "tier", Operation.OTHER),
        ("PUT", "block", Operation.OTHER),
        ("DELETE", "", Operation.DELETE),
        ("GET", "", Operation.OTHER),
        ("HEAD", "", Operation.OTHER),
    ],
)
def test_a_request_is_told_by_its_method_and_its_comp(method: str, comp: str, what: Operation) -> None:
    assert operation(method, {"comp": comp} if comp else {}) is what


@pytest.mark.parametrize("what", list(Operation))
def test_without_a_policy_nothing_is_forbidden_and_a_new_blob_never(what: Operation) -> None:
    assert forbidden(Policy(), what, LETTER, NOW) is None
    assert forbidden(Policy(days=5, hold=True), what, None, NOW) is None


@pytest.mark.parametrize("what", [*WRITES, Operation.DELETE])
def test_within_its_time_a_blob_is_neither_changed_nor_deleted(what: Operation) -> None:
    assert forbidden(KEPT, what, LETTER, NOW) == BY_POLICY


@pytest.mark.parametrize("what", WRITES)
def test_after_its_time_a_blob_is_still_not_changed(what: Operation) -> None:
    assert forbidden(OVER, what, LETTER, NOW) == BY_POLICY


def test_after_its_time_a_blob_may_be_deleted() -> None:
    assert forbidden(OVER, Operation.DELETE, LETTER, NOW) is None


def test_protected_appends_are_allowed_and_begin_the_time_anew() -> None:
    appends = Policy(days=5, appends=True)
    assert forbidden(appends, Operation.APPEND, LOG, NOW) is None
    assert forbidden(appends, Operation.WRITE, LOG, NOW) == BY_POLICY
    assert forbidden(appends, Operation.DELETE, LOG, NOW) == BY_POLICY
    assert forbidden(appends, Operation.DELETE, LOG, NOW + 3 * DAY_SECONDS) is None
    assert forbidden(appends, Operation.DELETE, LETTER, NOW) is None


@pytest.mark.parametrize("what", [*WRITES, Operation.DELETE])
def test_a_legal_hold_forbids_the_same_without_end(what: Operation) -> None:
    assert forbidden(Policy(hold=True), what, LOG, NOW + 9e9) == BY_HOLD
    assert forbidden(Policy(days=5, appends=True, hold=True), what, LOG, NOW + 9e9) == BY_HOLD


def test_a_hold_that_allows_appends_leaves_the_rest_to_the_policy() -> None:
    hold = Policy(hold=True, hold_appends=True)
    assert forbidden(hold, Operation.APPEND, LOG, NOW) is None
    assert forbidden(hold, Operation.WRITE, LOG, NOW) == BY_HOLD
    assert forbidden(Policy(days=5, hold=True, hold_appends=True), Operation.APPEND, LOG, NOW) == BY_POLICY


@pytest.mark.parametrize("policy", [KEPT, Policy(hold=True)])
def test_reading_leasing_and_staging_go_on(policy: Policy) -> None:
    assert forbidden(policy, Operation.OTHER, LOG, NOW) is None


def test_the_local_stacks_containers_are_immutable_as_production_makes_them() -> None:
    module = (ROOT / "infra/modules/transcripts.bicep").read_text()
    production = (ROOT / "infra/prod.bicepparam").read_text()
    (containers,) = re.findall(r"^var containers = \[(.*?)\]", module, re.MULTILINE | re.DOTALL)
    (days,) = re.findall(r"^param immutableDays = (\d+)", production, re.MULTILINE)
    appends = "allowProtectedAppendWrites: true" in module
    assert dict.fromkeys(re.findall(r"'(\w+)'", containers), Policy(days=int(days), appends=appends)) == AS_DEPLOYED
