"""The archive of all consoles, in one value: what upkeep, verification and the lists of recordings need."""

from dataclasses import dataclass

from shared.base.ports import Clock
from shared.transcript.ports import Holds, Index, Reads, StatementLog, Transcripts
from shared.transcript.retention import Retention


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    transcripts: Transcripts
    index: Index
    ledger: StatementLog
    holds: Holds
    reads: Reads
    clock: Clock
    ring: Retention
