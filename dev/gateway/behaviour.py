"""How a VM's port at the gateway behaves: what is known of the real one, where reports differ, and what tests vary.

Sources, named below by their first word:
clients  Azure/azure-cli-extensions, src/serial-console/azext_serialconsole/custom.py, by version of the extension
docs     MicrosoftDocs/SupportArticles-docs, serial-console-linux.md and serial-console-errors.md
issue    microsoft/azserialconsole issues, by number
A control call changes one VM's, and the roster may set it. What is believed only stands in docs/fidelity.md.
"""

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any


class Generation(StrEnum):
    """How a client proves who it is."""

    CURRENT = "current"
    """Nothing in the address; the gateway speaks first, the token follows once as a text frame (clients, since 1.0.0b1,
    pull request 7653)."""
    SPRING_2024 = "2024"
    """Token and new=1 in the address, the token again on opening and after the first frame (clients, 0.1.7 and 0.1.8);
    without new=1 as FIRST, which older clients went on speaking."""
    FIRST = "2021"
    """Token in the address alone: the first frame is already what the VM prints (clients, up to 0.1.6)."""


class Second(StrEnum):
    """What a second connection to a port does: both are published."""

    DISPLACES = "displaces"
    """The first is disconnected, the second gets its session (docs, "Concurrent usage")."""
    IS_REFUSED = "is-refused"
    """Told IN_PROGRESS (docs, serial-console-errors.md)."""


class Refusing(StrEnum):
    """What a connection is refused with although its token is good."""

    NOTHING = ""
    IN_PROGRESS = "in-progress"
    PROVISIONING = "provisioning"
    STOPPED = "stopped"


class Telling(StrEnum):
    """How a refusal is worded: where the portal has its texts from is not published, so a client must take either."""

    CLOSE = "close"
    FRAME = "frame"
    """As a text frame, like output; the close after it says nothing."""
    STATUS = "status"
    """As the answer to the upgrade, 409."""


TEXTS = {
    Refusing.IN_PROGRESS: "Another connection is currently in progress to this VM. Please wait and retry the request.",
    Refusing.PROVISIONING: "Provisioning for this VM has not yet succeeded. Please ensure the VM is fully deployed "
    "and retry the serial console connection.",
    Refusing.STOPPED: "Azure Serial Console requires a virtual machine to be running. "
    "Use the Start button above to start your virtual machine.",
}
"""As published (docs, serial-console-errors.md)."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    generation: Generation = Generation.CURRENT
    replay_bytes: int = 64 * 1024
    """Bytes of the end of the boot log that a new connection is shown first, whoever saw them before; what was printed
    meanwhile and is not among them is seen by nobody. 0: a gateway that keeps all of that for whoever connects next,
    and replays nothing: kinder than the real one.

    Source: what is seen on a console is written to the VM's boot diagnostics log for the scroll-back function, and
    that log is circular (docs, "Audit logs"); a console that was opened after its VM had been deallocated and started
    showed the end of what had been printed before (issue 40). How many bytes is not published.
    """
    second: Second = Second.DISPLACES
    refusing: Refusing = Refusing.NOTHING
    telling: Telling = Telling.CLOSE
    idle_seconds: float = 0.0
    """Without a byte typed, after which a connection is closed (issues 46, 70, 97: some minutes, not published).
    0: never."""
    banner_seconds: float = 0.0
    """That the gateway takes to speak first."""

    def changed(self, fields_said: dict[str, Any]) -> "Behaviour":
        """Raises ValueError for a field that there is not, or a value that does not fit."""
        changes = {}
        for field in fields(self):
            if field.name in fields_said:
                changes[field.name] = _fitting(getattr(self, field.name), fields_said[field.name])
        if len(changes) != len(fields_said):
            raise ValueError(f"the fields are {', '.join(field.name for field in fields(self))}")
        return replace(self, **changes)


def _fitting(now: Any, said: Any) -> Any:
    """`said` as the type of what is there now. Raises ValueError."""
    if isinstance(said, bool) or not isinstance(said, (int, float, str)):
        raise ValueError("a value has another type")  # noqa: TRY004 - of what a caller sent
    return type(now)(said)


DEFAULT = Behaviour()
