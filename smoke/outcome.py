"""Runs the steps and reports their results: rows for a person, JSON for a program, an exit status. No I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Failed(Exception):
    """A step failed. The text tells a person what does not work; it never holds a secret."""


class TimedOut(Failed):
    """The expected answer did not arrive in time."""


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
class Step[Context]:
    """One step. `do` returns its result in words, or raises Failed. `needs` names the steps that must work before."""

    name: str
    do: Callable[[Context], str]
    needs: tuple[str, ...] = ()


def run[Context](
    steps: Sequence[Step[Context]],
    context: Context,
    now: Callable[[], float],
    begins: Callable[[str], None],
    ends: Callable[[Row], None],
) -> list[Row]:
    """Runs each step in turn and returns a row for each; a step whose needs did not work is skipped.

    `now` returns seconds. `begins` and `ends` are called before and after each step.
    """
    rows: list[Row] = []
    for step in steps:
        begins(step.name)
        began = now()
        result, words = _run_step(step, context, rows)
        rows.append(Row(step.name, result, (now() - began) * 1000, words))
        ends(rows[-1])
    return rows


def _run_step[Context](step: Step[Context], context: Context, rows: Sequence[Row]) -> tuple[Result, str]:
    missing = [row.step for row in rows if row.step in step.needs and row.result is not Result.WORKS]
    if missing:
        return Result.SKIPPED, f"needs {', '.join(missing)}"
    try:
        return Result.WORKS, step.do(context)
    except Failed as failure:
        return Result.FAILS, str(failure)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return Result.FAILS, f"an answer is not of the form that is due ({type(error).__name__}): is this the API?"


def status(rows: Sequence[Row]) -> int:
    """Returns the exit status: 0 if every step works, else 1."""
    return 0 if all(row.result is Result.WORKS for row in rows) else 1


def to_json(api: str, rows: Sequence[Row]) -> dict[str, Any]:
    steps = [
        {"step": row.step, "result": row.result.value, "milliseconds": round(row.milliseconds, 1), "words": row.words}
        for row in rows
    ]
    return {"api": api, "works": status(rows) == 0, "steps": steps}
