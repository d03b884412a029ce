"""All that is signed of a console, page by page."""

from dataclasses import dataclass

from shared.transcript.ports import StatementLog, StatementPlace
from shared.transcript.signed_statements import Statement


@dataclass(frozen=True)
class Signed:
    said: list[Statement]
    broken: int
    """Lines that the service has not signed."""
    pages: int


async def all_signed(ledger: StatementLog, console: str, most: int = 1 << 20) -> Signed:
    lines, pages, place, more = list[Statement | None](), 0, StatementPlace(), True
    while more:
        found = await ledger.read(console, place, most)
        lines += [each.statement for each in found.said]
        place, more, pages = found.next, found.more, pages + 1
    said = [each for each in lines if each is not None]
    return Signed(said, len(lines) - len(said), pages)
