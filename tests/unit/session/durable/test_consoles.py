"""The lock's adapter before a task hub that loses what it is sent, answers late, or is not there."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from shared.base import time_limit
from shared.base.ports import Trouble, Unavailable
from shared.base.task_hub import TaskHub
from shared.base.time_limit import TimeLimit
from shared.session import lock
from shared.session.durable import consoles as durable_consoles
from shared.session.durable.consoles import WHAT, DurableConsoles
from shared.session.lock import Acquired, Claim, Held, Holder, Takeover
from shared.session.lock_codec import state_from_json
from shared.session.lock_entity import changed
from shared.session.lock_requests import CLOCK_SECONDS
from tests.fakes import VM, FakeClock
from tests.patience import PATIENCE

ADA, GRACE = Holder("s1", "t.ada", "Ada", 1.0, "r0"), Holder("s2", "t.grace", "Grace", 2.0, "r0")
KEY = "the-key-of-the-durable-webhook"


@dataclass
class Hub:
    """One entity. `loses` says of each signal, by its number, whether it is lost."""

    clock: FakeClock
    loses: Callable[[int], bool] = lambda _: False
    stored: dict[str, Any] | None = None
    signals: list[tuple[str, str]] = field(default_factory=list)
    """The operation and the request's id."""

    async def signal(self, _: str, __: str, operation: str, said: dict[str, Any]) -> None:
        self.signals.append((operation, said["request"]["id"]))
        if not self.loses(len(self.signals)):
            for _again in range(2):  # and what arrives, arrives twice
                self.stored = changed(self.stored, operation, said, self.clock.now()) or self.stored

    async def state(self, _: str, __: str) -> dict[str, Any] | None:
        return self.stored


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setattr(durable_consoles, "AGAIN_SECONDS", 0.05)
    return Hub(FakeClock())


def consoles(hub: Hub) -> DurableConsoles:
    return DurableConsoles(cast("Any", hub), hub.clock)


async def test_the_outcome_of_ones_own_request_is_the_answer(hub: Hub) -> None:
    asked = consoles(hub)
    assert isinstance(await asked.acquire(VM, Claim(ADA, Takeover.NEVER)), Acquired)
    held = await asked.acquire(VM, Claim(GRACE, Takeover.NEVER))
    assert isinstance(held, Held)
    assert (held.holder, (await asked.show(VM)).holder) == (ADA, ADA)
    assert [await asked.release(VM, "s1", 1) for _ in range(2)] == [True, False]


async def test_a_lost_signal_is_sent_again_as_the_same_request_and_done_once(hub: Hub) -> None:
    hub.loses = lambda number: number < 3
    assert await consoles(hub).acquire(VM, Claim(ADA, Takeover.FORCE)) == Acquired(1, lock.Lock())
    assert len(hub.signals) == 3
    assert len({request for _, request in hub.signals}) == 1


async def test_who_gives_up_gives_back_what_may_have_been_granted(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_consoles, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(durable_consoles, "LEAST_SECONDS", 0.1)
    hub.clock.time = 0.0
    monkeypatch.setattr(durable_consoles, "CLOCK_SECONDS", -10.0)
    monkeypatch.setattr(hub, "state", nothing_yet)
    with pytest.raises(Unavailable, match=WHAT):
        await consoles(hub).acquire(VM, Claim(ADA, Takeover.FORCE))
    assert hub.signals[-1][0] == "release"
    assert (state_from_json(hub.stored).lock.generation, state_from_json(hub.stored).lock.holder) == (1, None)


async def nothing_yet(_: str, __: str) -> None:
    return None


async def test_a_request_that_comes_too_late_is_not_done_and_told_as_such(hub: Hub) -> None:
    asked = DurableConsoles(cast("Any", hub), FakeClock(hub.clock.time - 60))
    for call in (asked.acquire(VM, Claim(ADA, Takeover.FORCE)), asked.release(VM, "s1", 1)):
        with pytest.raises(Unavailable, match="too late"):
            await call
    assert state_from_json(hub.stored).lock.generation == 0


async def test_a_hub_that_is_away_is_told_and_its_key_by_nobody(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    client = TaskHub(
        f'{{"taskHubName": "h", "rpcBaseUrl": "http://127.0.0.1:1", "requiredQueryStringParameters": "code={KEY}"}}'
    )
    asked = DurableConsoles(client, FakeClock())
    said = []
    for call in (asked.acquire(VM, Claim(ADA, Takeover.FORCE)), asked.release(VM, "s1", 1), asked.show(VM)):
        with pytest.raises(Unavailable) as error:
            await asyncio.wait_for(cast("Any", call), PATIENCE)
        said.append(f"{error.value!r} {error.value} {error.value.__cause__!r}")
    with pytest.raises(Unavailable, match="task hub"):
        await asked.probe()
    await client.close()
    assert KEY not in " ".join(said) + caplog.text


async def never(*_: object) -> None:
    await asyncio.Event().wait()


async def test_a_hub_that_hangs_costs_a_request_its_time_and_no_more(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what is asked nor what is given back afterwards is waited for longer."""
    monkeypatch.setattr(durable_consoles, "LEAST_SECONDS", 0.1)
    monkeypatch.setattr(time_limit, "AFTERWARDS_SECONDS", 0.1)
    monkeypatch.setattr(hub, "signal", never)
    monkeypatch.setattr(hub, "state", never)
    asked = consoles(hub)
    for ask in (
        lambda: asked.acquire(VM, Claim(ADA, Takeover.FORCE)),
        lambda: asked.release(VM, "s1", 1),
        lambda: asked.show(VM),
    ):
        before = time_limit.current.set(TimeLimit(0.2))
        with pytest.raises(Unavailable, match=WHAT) as told:
            await asyncio.wait_for(ask(), PATIENCE)
        assert told.value.trouble is Trouble.SILENT
        with pytest.raises(Unavailable, match=WHAT) as told:
            await asyncio.wait_for(ask(), PATIENCE)
        assert told.value.trouble is Trouble.LATE, "no time is left: it is not asked"
        time_limit.current.reset(before)


async def test_a_claim_is_not_made_in_the_last_moment_and_names_when_its_request_ends(hub: Hub) -> None:
    before = time_limit.current.set(TimeLimit(durable_consoles.LEAST_SECONDS - 0.1))
    with pytest.raises(Unavailable) as told:
        await consoles(hub).acquire(VM, Claim(ADA, Takeover.FORCE))
    assert told.value.trouble is Trouble.LATE
    assert [operation for operation, _ in hub.signals] == ["release"]
    time_limit.current.set(TimeLimit(4.0))
    assert isinstance(await consoles(hub).acquire(VM, Claim(ADA, Takeover.FORCE)), Acquired)
    request = state_from_json(hub.stored).answered[-1].request
    assert 0 < request.deadline - hub.clock.time <= 4.0 - CLOCK_SECONDS
    time_limit.current.reset(before)
