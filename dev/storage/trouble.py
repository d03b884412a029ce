"""A storage that is busy, one that says nothing, and one that ends its pages early.

Sources: busy is 503 ServerBusy, or 500 OperationTimedOut, at a partition's limit (azure-docs, articles/storage/tables/
scalability-targets.md and blobs/scalability-targets.md); what timed out may have been done all the same (REST
reference, "Status and error codes"). A query of entities may be answered with fewer rows than there are, also with
none, and a continuation (REST reference, "Query timeout and pagination"). A query of entities may take 30 s before it
is answered (same page), and nothing is heard at all of one whose connection was lost on the way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

SERVER_BUSY = (503, "ServerBusy", "The server is currently unable to receive requests. Please retry your request.")
TIMED_OUT = (500, "OperationTimedOut", "Operation could not be completed within the permitted time.")
_BEGIN = "begin"
"""Our own continuation: the first page, of no rows, hands it out."""
NEXT = "x-ms-continuation-NextPartitionKey"


@dataclass(slots=True)
class Trouble:
    answer: tuple[int, str, str] | None = SERVER_BUSY
    words: str = ""
    """Of the requests that are met: method, a blank, and the address hold these."""
    times: int = 0
    """How many more are met."""
    silent: float = 0.0
    """Seconds before they are answered; then as by a storage that has no trouble, where there is no `answer`."""
    done: bool = False
    """Whether what is asked happens all the same."""
    met: list[str] = field(default_factory=list[str])

    def meets(self, request: str) -> bool:
        if not self.times or self.words not in request:
            return False
        self.times -= 1
        self.met.append(request)
        return True


@dataclass(frozen=True, slots=True)
class Pages:
    """Of queries of entities."""

    most: int = 3
    """Rows of a page."""

    def first_is_empty(self, query: Mapping[str, str]) -> bool:
        return "NextPartitionKey" not in query

    def begin(self) -> dict[str, str]:
        """Headers of the page of no rows."""
        return {NEXT: _BEGIN, "Content-Type": "application/json;odata=minimalmetadata"}

    def shortened(self, query: Mapping[str, str]) -> dict[str, str]:
        """What goes on to Azurite."""
        asked = {name: value for name, value in query.items() if (name, value) != ("NextPartitionKey", _BEGIN)}
        return asked | {"$top": str(min(self.most, int(query.get("$top", self.most))))}
