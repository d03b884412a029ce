"""What the flows and the relay need of the world, in their own words.

    outside    what does not answer, the time, chance
    azure      who calls; VMs, rights, locks, power, boot logs
    owners     policies, approvals, paces
    sessions   the lock, tokens, sessions, relays; the control plane as a relay sees it
    leases     the lives of relays, and what they are still to hear
    archive    transcripts, index, statements, holds, reads, old rows
    line       a VM's port and the record

Adapters raise `Unavailable` when the thing behind them does not answer or answers nonsense after its retries;
whatever is a reasoned no comes back as a Refusal. Every other exception is breakage.
"""

from shared.ports.archive import (
    AppendConflict,
    Blob,
    Hold,
    Holds,
    Index,
    Ledger,
    Lying,
    OldRows,
    Read,
    Reads,
    RemovedRows,
    Said,
    StatementPlace,
    Statements,
    Transcripts,
)
from shared.ports.azure import AroundVms, BootLog, BootLogs, Callers, Picture, PowerActs, Rights, Visible, Vms
from shared.ports.leases import Leases, Notice, Notices
from shared.ports.line import PortListener, Recorder, RecordSink, SerialPort, SerialPorts
from shared.ports.outside import Clock, Dependency, Ids, Trouble, Unavailable
from shared.ports.owners import Approvals, Paces, Policies, Stored
from shared.ports.sessions import (
    Admission,
    Beat,
    BurntTokens,
    Consoles,
    ControlPlane,
    KeyRing,
    Relay,
    Relays,
    Session,
    Sessions,
    Tokens,
)

__all__ = [
    "Admission",
    "AppendConflict",
    "Approvals",
    "AroundVms",
    "Beat",
    "Blob",
    "BootLog",
    "BootLogs",
    "BurntTokens",
    "Callers",
    "Clock",
    "Consoles",
    "ControlPlane",
    "Dependency",
    "Hold",
    "Holds",
    "Ids",
    "Index",
    "KeyRing",
    "Leases",
    "Ledger",
    "Lying",
    "Notice",
    "Notices",
    "OldRows",
    "Paces",
    "Picture",
    "Policies",
    "PortListener",
    "PowerActs",
    "Read",
    "Reads",
    "RecordSink",
    "Recorder",
    "Relay",
    "Relays",
    "RemovedRows",
    "Rights",
    "Said",
    "SerialPort",
    "SerialPorts",
    "Session",
    "Sessions",
    "StatementPlace",
    "Statements",
    "Stored",
    "Tokens",
    "Transcripts",
    "Trouble",
    "Unavailable",
    "Visible",
    "Vms",
]
