"""What one host holds of a hub's partitions: it renews that, and takes its share."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from dev.functions_host.events import Partition
from dev.functions_host.ownership import NOBODY, Ownership, in_force, least_share, may_take
from dev.functions_host.ownership_blobs import Ownerships


class Balancer:
    """One host among those that share the partitions. It has a new name after every start.

    Azure/azure-functions-host issue 11256: no stable name is given, so what a killed host held waits for its expiry.
    """

    def __init__(self, partitions: Sequence[Partition], ownerships: Ownerships, expiry: float) -> None:
        self._partitions = {each.id: each for each in partitions}
        self._ownerships, self._expiry = ownerships, expiry
        self._me = str(uuid4())
        self._held: dict[str, Ownership] = {}
        self.is_balanced = False
        """Whether this host had its share at the last look and found nothing to take."""

    @property
    def held(self) -> list[Partition]:
        return [self._partitions[each] for each in self._held]

    async def look(self) -> None:
        """Renews what is held, and takes one partition more where that is due.

        Raises:
            Exception: whatever the storage raises; what was held stays held.

        """
        await self._renew()
        kept = await self._ownerships.kept(next(iter(self._partitions.values())))
        held = in_force(kept, datetime.now(UTC), self._expiry)
        await self._find_again(held)
        wanted = may_take(self._partitions.keys(), held, self._me)
        if wanted:
            await self._take(random.choice(wanted), kept)  # noqa: S311 - whichever
        self.is_balanced = not wanted and len(self._held) >= least_share(self._partitions.keys(), held, self._me)

    def lose(self, partition: Partition) -> None:
        """Another host reads it now."""
        self._held.pop(partition.id, None)

    async def give_back(self) -> None:
        """Lets others take at once what this host holds."""
        for held in self._held.values():
            await self._ownerships.claim(self._partitions[held.partition], NOBODY, held.etag)
        self._held.clear()

    async def _renew(self) -> None:
        renewed = {}
        for held in list(self._held.values()):
            claimed = await self._ownerships.claim(self._partitions[held.partition], self._me, held.etag)
            if claimed:
                renewed[held.partition] = claimed
        self._held = {name: each for name, each in renewed.items() if name in self._held}

    async def _find_again(self, held: Sequence[Ownership]) -> None:
        """What is this host's although it was lost on the way: a reader of another host came and went."""
        for each in held:
            if each.owner == self._me and each.partition not in self._held:
                claimed = await self._ownerships.claim(self._partitions[each.partition], self._me, each.etag)
                if claimed:
                    self._held[each.partition] = claimed

    async def _take(self, partition: str, kept: Sequence[Ownership]) -> None:
        etag = next((each.etag for each in kept if each.partition == partition), None)
        if claimed := await self._ownerships.claim(self._partitions[partition], self._me, etag):
            self._held[partition] = claimed
