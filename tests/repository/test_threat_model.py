"""docs/threat-model.md, held to the tests that it cites, the settings, and itself."""

import ast
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import pytest

from dev.stack import ROOT
from shared.base.settings import names
from shared.settings import FunctionSettings, RelaySettings

PAGE = (ROOT / "docs/threat-model.md").read_text()
BICEP = (ROOT / "infra/main.bicep").read_text()
SETTINGS = {*names(FunctionSettings), *names(RelaySettings)}
CITED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
FILE = re.compile(r"`((?:web|docs|infra)/[\w./-]+|host\.json)`")
PARAMETER = re.compile(r"`([a-z]+[A-Z]\w+)`")
SETTING = re.compile(r"`([A-Z]+(?:_[A-Z]+)+|[A-Z]{6})`")


def rows(page: str, section: str) -> list[Sequence[str]]:
    """Cells of a section's table, without its head."""
    text = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")] for line in lines[1:]]


@cache
def listed_in(path: Path) -> frozenset[str]:
    """Functions and classes of a file of tests, and what is bound to a name of a test class."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]):
                found.add(name)
            case _:
                pass
    return frozenset(name for name in found if name.startswith(("test_", "Test")))


def faults(page: str) -> list[str]:
    """All that does not hold."""
    threats, elements = rows(page, "Threats"), [row[0] for row in rows(page, "The picture")]
    gaps, duties = ([row[0] for row in rows(page, name)] for name in ("Gaps", "What the deployment must hold"))
    ids = [row[0] for row in threats]
    said = [f"{each} is there twice" for each in _twice([*ids, *elements, *gaps, *duties])]
    said += [f"{each} has no threat" for each in elements if each not in {row[1] for row in threats}]
    for row in threats:
        said += _row(row, {*elements}, {*gaps, *duties})
    left = {word for row in threats for word in row[6].split()}
    said += [f"{each} is left by no threat" for each in (*gaps, *duties) if each not in left]
    said += [f"{name} is no setting" for name in SETTING.findall(page) if name not in SETTINGS]
    duties_said = "".join("|".join(row) for row in rows(page, "What the deployment must hold"))
    said += [f"{name} is no parameter" for name in PARAMETER.findall(duties_said) if f"param {name} " not in BICEP]
    said += [f"there is no {path}" for path in FILE.findall(page) if not (ROOT / path).exists()]
    return said


def _row(row: Sequence[str], elements: set[str], known: set[str]) -> Iterable[str]:
    name, element, letter, _, holds, covered, left = row
    if element not in elements:
        yield f"{name}: {element} is no element"
    if letter not in {"S", "T", "R", "I", "D", "E"}:
        yield f"{name}: {letter} is no letter of STRIDE"
    if not holds or not covered:
        yield f"{name} says not what covers it"
    for file, test in CITED.findall(covered):
        if not (ROOT / file).exists() or test not in listed_in(ROOT / file):
            yield f"{name}: there is no {file}::{test}"
    if "::" in CITED.sub("", covered):
        yield f"{name}: a test is not cited as file::name"
    for each in left.split():
        if each not in known:
            yield f"{name}: {each} is listed nowhere"


def _twice(values: Sequence[str]) -> set[str]:
    return {value for value in values if values.count(value) > 1}


def test_everything_that_it_says_is_there() -> None:
    assert faults(PAGE) == []


def test_it_cites_more_than_a_test_for_each_element() -> None:
    assert len(rows(PAGE, "Threats")) > 4 * len(rows(PAGE, "The picture")) > 0
    assert len(CITED.findall(PAGE)) > len(rows(PAGE, "Threats"))


@pytest.mark.parametrize(
    ("part", "instead", "fault"),
    [
        ("::test_a_bent_address_never_leads", "::test_an_address_never_leads", "T5: there is no"),
        ("tests/functions/test_attacks.py::", "tests/functions/test_no_attacks.py::", "T5: there is no"),
        ("| T5 |", "| T4 |", "T4 is there twice"),
        ("| E-VERIFY | S |", "| E-AUDITOR | S |", "E-AUDITOR is no element"),
        ("| E-VERIFY | the", "| E-AUDITOR | the", "E-AUDITOR has no threat"),
        ("| E-API | S | a forged", "| E-API | X | a forged", "X is no letter"),
        ("`RATE_CALLER`", "`RATE_OF_CALLERS`", "RATE_OF_CALLERS is no setting"),
        ("`host.json` | D1 |", "`host.json` | D9 |", "D9 is listed nowhere"),
        ("| G10 | the same", "| G99 | the same", "G99 is left by no threat"),
        ("`immutableDays`", "`wormDays`", "wormDays is no parameter"),
        ("`web/access/auth.js`", "`web/sign_in.js`", "there is no web/sign_in.js"),
        ("`tests/unit/session/test_lock.py::TestLock`", "`tests/unit/session/test_lock.py::Lock`", "there is no"),
    ],
)
def test_what_does_not_hold_is_named(part: str, instead: str, fault: str) -> None:
    assert part in PAGE
    assert any(fault in each for each in faults(PAGE.replace(part, instead, 1)))
