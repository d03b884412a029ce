"""What is done to Azure Resource Manager: whoever asks meanwhile is told so, nobody's console ends by it, and no list
that could not be had looks like an empty one.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from dev.chaos.campaign_state import CampaignState

_ALL = 1 << 30
_ASK_SECONDS = 0.5


async def throttle_arm(field: CampaignState, dice: Random) -> None:
    await _failing(field, dice, status=429, code="SubscriptionRequestsThrottled", retry_after=str(dice.randint(1, 40)))


async def break_arm(field: CampaignState, dice: Random) -> None:
    await _failing(field, dice, status=dice.choice((500, 502, 503)))


async def silence_arm(field: CampaignState, dice: Random) -> None:
    await _failing(field, dice, hang=20.0)


async def cut_arm(field: CampaignState, dice: Random) -> None:
    await _failing(field, dice, cut=dice.choice(("before", "within")))


async def freeze_arm(field: CampaignState, dice: Random) -> None:
    async with _watched(field):
        await field.frozen("arm", dice.uniform(0.5, 6))


async def kill_arm(field: CampaignState, dice: Random) -> None:
    del dice
    async with _watched(field):
        await field.killed("arm")


async def _failing(field: CampaignState, dice: Random, **fault: Any) -> None:
    """All calls, or every one of a kind."""
    match = dice.choice(("/subscriptions/", "virtualMachines\\?", "roleAssignments", "serialPorts"))
    await field.arm("/admin/faults", [{"match": match, "count": _ALL, **fault}])
    try:
        async with _watched(field):
            await asyncio.sleep(dice.uniform(1, 5))
    finally:
        await field.arm("/admin/faults", [])


@asynccontextmanager
async def _watched(field: CampaignState) -> AsyncIterator[None]:
    """Somebody looks at the list all the while."""

    async def look() -> None:
        while True:
            await field.look_at_list()
            await asyncio.sleep(_ASK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
