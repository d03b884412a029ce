"""docs/glossary.md, held to the code."""

import ast
import re
from pathlib import Path

import pytest

from dev.stack import ROOT

PAGE = (ROOT / "docs/glossary.md").read_text()
ROW = re.compile(r"^\| ([^|]+) \| [^|]+ \| `(\w+)` in `([\w/.]+)` \|$", re.MULTILINE)
OLD_WORDS = re.compile(r"^class (Bad\w*|Kept|Ear|Tape|Knock|Voice|People|Standstill|Passage|House|Office|Seat)\b")
"""What the glossary has other words for."""


def names(path: Path) -> set[str]:
    """The classes, functions and values that a module defines."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                found.add(node.name)
            case ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)):
                found.add(name)
    return found


def test_the_page_is_a_table_of_many_words() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")][1:]
    assert len(ROW.findall(PAGE)) == len(rows) > 40


@pytest.mark.parametrize(("word", "name", "module"), ROW.findall(PAGE))
def test_a_word_stands_in_the_code_as_the_page_says(word: str, name: str, module: str) -> None:
    assert name in names(ROOT / module), word


def test_each_word_is_explained_once() -> None:
    words = [word.strip() for row, _, _ in ROW.findall(PAGE) for word in row.split(",")]
    assert len(words) == len(set(words))


def test_no_class_that_ships_bears_a_name_that_was_replaced() -> None:
    shipped = [path for part in ("shared", "relay", "functions") for path in (ROOT / part).rglob("*.py")]
    assert len(shipped) > 200
    assert [
        (path.name, line) for path in shipped for line in path.read_text().splitlines() if OLD_WORDS.match(line)
    ] == []


def test_no_two_classes_that_ship_bear_one_name() -> None:
    shipped = [path for part in ("shared", "relay", "functions") for path in (ROOT / part).rglob("*.py")]
    found = [
        node.name
        for path in shipped
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    twice = {name for name in found if found.count(name) > 1}
    assert twice == {"Console"}  # the other is the lock's entity: a function, whose name is the entity's
