from dataclasses import replace
from typing import Any

import pytest

from shared.access.policy import Typing
from shared.access.recording_settings import RecordingSettings
from shared.base.ports import Dependency, Unavailable
from shared.base.refusals import Code, Refusal
from shared.session.flows.attach_session import attach_session
from shared.session.flows.open_session import Opened, OpenSessionRequest, open_session
from shared.session.grant import Mode
from shared.session.ports import Admission
from tests.fakes import VM, FakeDependencies, person


async def granted(fakes: FakeDependencies, oid: str = "ada", mode: Mode = Mode.WRITE) -> dict[str, Any]:
    """Claims of a session token just signed."""
    assert isinstance(await open_session(fakes.dependencies, person(oid), VM, OpenSessionRequest(mode=mode)), Opened)
    return fakes.tokens.signed[-1].claims()


async def code(fakes: FakeDependencies, claims: dict[str, Any], relay: str = "r0") -> Code | None:
    result = await attach_session(fakes.dependencies, relay, claims)
    return result.code if isinstance(result, Refusal) else None


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_fresh_token_admits_with_the_limits(fakes: FakeDependencies, mode: Mode) -> None:
    claims = await granted(fakes, mode=mode)
    assert await attach_session(fakes.dependencies, "r0", claims) == Admission(claims["sid"], 900, 28800)
    assert fakes.sessions.rows[claims["sid"]].state == "attached"


async def test_a_writer_who_left_before_attaching_stays_out(fakes: FakeDependencies) -> None:
    claims = await granted(fakes)
    await fakes.consoles.release(VM, claims["sid"], claims["gen"])
    assert await code(fakes, claims) is Code.SESSION_SUPERSEDED


async def test_a_token_is_burnt_by_its_first_use(fakes: FakeDependencies) -> None:
    claims = await granted(fakes)
    assert await code(fakes, claims) is None
    assert await code(fakes, claims) is Code.TOKEN_REPLAYED


async def test_a_token_is_late_after_its_thirty_seconds(fakes: FakeDependencies) -> None:
    claims = await granted(fakes)
    fakes.clock.time += 30
    assert await code(fakes, claims) is Code.TOKEN_EXPIRED


@pytest.mark.parametrize(
    "change", [{"aud": "relay:r1"}, {"iss": "http://other"}, {"port": 1}, {"gen": 9}, {"sub": "x"}]
)
async def test_claims_that_are_not_those_of_the_session_admit_nobody(
    fakes: FakeDependencies, change: dict[str, Any]
) -> None:
    assert await code(fakes, await granted(fakes) | change) is Code.TOKEN_INVALID


async def test_a_token_for_one_relay_is_worth_nothing_at_another(fakes: FakeDependencies) -> None:
    assert await code(fakes, await granted(fakes), "r1") is Code.TOKEN_INVALID


async def test_whoever_was_superseded_before_attaching_stays_out(fakes: FakeDependencies) -> None:
    claims = await granted(fakes)
    await granted(fakes, "grace")
    assert await code(fakes, claims) is Code.SESSION_SUPERSEDED


async def test_a_session_that_is_unknown_or_over_stays_out(fakes: FakeDependencies) -> None:
    claims = await granted(fakes)
    session = claims["sid"]
    fakes.sessions.rows[session] = replace(fakes.sessions.rows[session], state="ended")
    assert await code(fakes, claims) is Code.SESSION_ENDED
    fakes.sessions.rows.clear()
    assert await code(fakes, claims | {"jti": "another"}) is Code.SESSION_NOT_FOUND


async def test_an_admission_tells_what_is_kept_and_without_knowing_it_admits_nobody(fakes: FakeDependencies) -> None:
    claims = await granted(fakes)
    fakes.policies.fail = Unavailable(Dependency.STORAGE_TABLES, "away")
    with pytest.raises(Unavailable):
        await attach_session(fakes.dependencies, "r0", claims)
    fakes.policies.fail = None
    fakes.policies.put(VM.resource_id, typed=Typing.MASKED)
    admission = await attach_session(fakes.dependencies, "r0", claims)
    assert isinstance(admission, Admission)
    assert admission.keeping == RecordingSettings(Typing.MASKED)
