"""Which partition a host takes next, of those that several hosts share. Pure.

As the .NET client does it, which the real host listens with: Azure/azure-sdk-for-net, PartitionLoadBalancer and
BlobCheckpointStoreInternal (sdk/eventhub/Azure.Messaging.EventHubs.Shared/src).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

NOBODY = ""
"""The owner of a partition that its host gave back as it stopped."""


@dataclass(frozen=True)
class Ownership:
    """Who reads a partition, as the storage keeps it. `etag` admits the next change, and one of two at once."""

    partition: str
    owner: str
    modified: datetime
    etag: str


def in_force(kept: Iterable[Ownership], now: datetime, expiry: float) -> list[Ownership]:
    """Those that somebody holds. One that was not renewed for `expiry` seconds is anybody's."""
    return [each for each in kept if each.owner != NOBODY and now - each.modified < timedelta(seconds=expiry)]


def least_share(partitions: Collection[str], held: Iterable[Ownership], me: str) -> int:
    """How many partitions each host has at least where they are shared evenly; `me` is one of the hosts."""
    return len(partitions) // len({each.owner for each in held} | {me})


def may_take(partitions: Collection[str], held: Collection[Ownership], me: str) -> list[str]:
    """The partitions of which `me` takes one now, whichever: free ones before those of a host that has more."""
    of_hosts: dict[str, list[str]] = defaultdict(list, {me: []})
    for each in held:
        of_hosts[each.owner].append(each.partition)
    least, mine = least_share(partitions, held, me), len(of_hosts[me])
    others = [theirs for owner, theirs in of_hosts.items() if owner != me]
    if mine > least or (mine == least and any(len(theirs) < least for theirs in others)):
        return []
    if free := [each for each in partitions if each not in {one.partition for one in held}]:
        return free
    enough = least if mine < least else least + 1
    richest = [theirs for theirs in others if len(theirs) > least + 1] or others
    return [each for theirs in richest if len(theirs) > enough for each in theirs]
