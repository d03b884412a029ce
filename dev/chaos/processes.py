"""Processes below a part of the stack, as Linux tells of them."""

from pathlib import Path

_ENDED = "Z"


def child_of(process: int, word: str) -> int | None:
    """The running child that has this word on its command line."""
    return next((child for child in _children(process) if word in _command(child) and not _has_ended(child)), None)


def _children(process: int) -> list[int]:
    try:
        return [int(child) for task in Path(f"/proc/{process}/task").iterdir() for child in _read(task / "children")]
    except OSError:
        return []


def _read(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:  # it ended meanwhile
        return []


def _command(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/cmdline").read_text().split("\0")
    except OSError:
        return []


def _has_ended(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == _ENDED
    except OSError:
        return True
