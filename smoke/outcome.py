"""What came of each step: rows for a person, an object for a program, an exit status for a pipeline. No I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Failed(Exception):
    """A step found that something does not work; the text says what, for a person. Never a secret."""


class Waited(Failed):
    """Nothing came in time."""


class Result(StrEnum):
    WORKS = "works"
    FAILS = "fails"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Row:
    step: str
    result: Result
    milliseconds: float
    words: str


@dataclass(frozen=True, slots=True)
class Step[Visit]:
    """`do` answers what it found in words; it raises Failed. `needs` are steps without which it makes no sense."""

    name: str
    do: Callable[[Visit], str]
    needs: tuple[str, ...] = ()


def run[Visit](
    steps: Sequence[Step[Visit]],
    visit: Visit,
    now: Callable[[], float],
    begins: Callable[[str], None],
    ends: Callable[[Row], None],
) -> list[Row]:
    """Each step in turn; one that needs what does not work is skipped. `now` is in seconds."""
    rows: list[Row] = []
    for step in steps:
        begins(step.name)
        began = now()
        result, words = _tried(step, visit, rows)
        rows.append(Row(step.name, result, (now() - began) * 1000, words))
        ends(rows[-1])
    return rows


def _tried[Visit](step: Step[Visit], visit: Visit, rows: Sequence[Row]) -> tuple[Result, str]:
    missing = [row.step for row in rows if row.step in step.needs and row.result is not Result.WORKS]
    if missing:
        return Result.SKIPPED, f"needs {', '.join(missing)}"
    try:
        return Result.WORKS, step.do(visit)
    except Failed as failure:
        return Result.FAILS, str(failure)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return Result.FAILS, f"an answer is not of the form that is due ({type(error).__name__}): is this the API?"


def status(rows: Sequence[Row]) -> int:
    """0 when everything works."""
    return 0 if all(row.result is Result.WORKS for row in rows) else 1


def to_json(api: str, rows: Sequence[Row]) -> dict[str, Any]:
    steps = [
        {"step": row.step, "result": row.result.value, "milliseconds": round(row.milliseconds, 1), "words": row.words}
        for row in rows
    ]
    return {"api": api, "works": status(rows) == 0, "steps": steps}
