"""The archive of all consoles, in one value: what upkeep, verification and the lists of recordings need."""

from dataclasses import dataclass

from shared.domain.ring import Ring
from shared.ports import Clock, Holds, Index, Ledger, Reads, Transcripts


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    transcripts: Transcripts
    index: Index
    ledger: Ledger
    holds: Holds
    reads: Reads
    clock: Clock
    ring: Ring
