"""Log lines: one record, one line on stderr. A stack trace follows its record, indented: it cannot pass for another."""

import logging
import sys

QUIET = ("azure", "durabletask", "uvicorn", "httpx", "asyncio")
"""Libraries that narrate at INFO; the SDKs' HTTP policy would log every request's headers."""


class OneLine(logging.Formatter):
    """`time level logger message`; whatever comes after a line break is indented."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03d %(levelname)-7s %(name)s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        first, *rest = super().format(record).rstrip().splitlines() or [""]
        return "\n    ".join([first, *rest])


def to_stderr(level: str) -> None:
    """Sends every record from `level` (a name such as "info") upwards to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Warns of every broken link, which the host's own reader says in one line.
    logging.getLogger("azure.eventhub").setLevel(logging.ERROR)
