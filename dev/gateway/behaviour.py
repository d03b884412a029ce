"""How a VM's port at the gateway behaves: what is known of the real one, where reports differ, and what tests vary.

Each field says where the behaviour was seen. A control call changes one VM's, and the roster may set it.
"""

from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Behaviour:
    replay_bytes: int = 0
    """Bytes of the end of the boot log that a new connection is shown first, whoever saw them before. 0: a gateway
    that keeps what was printed meanwhile for whoever connects next, and replays nothing: kinder than the real one.

    Source: what is seen on a console is written to the VM's boot diagnostics log for the scroll-back function, and
    that log is circular (MicrosoftDocs/SupportArticles-docs, serial-console-linux.md, "Audit logs"); a console that
    was opened after a VM had been deallocated and started showed the end of what the VM before had printed
    (microsoft/azserialconsole issue 40). How many bytes is not published.
    """

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
    if isinstance(said, bool) != isinstance(now, bool) or not isinstance(said, (int, float, str)):
        raise ValueError("a value has another type")
    return type(now)(said)


DEFAULT = Behaviour()
