"""A module has at most 300 lines and a function 40; what is larger has its reason here. Tests have their own limits."""

import ast
import subprocess

import pytest

from dev.stack import ROOT

MODULE, FUNCTION = 300, 40
TEST_MODULE, TEST_FUNCTION = 450, 60
"""A test module is a list of scenes, and a table of examples is long."""

REASONS = {
    "shared/base/refusal_table.py": "one row for each refusal, and no logic",
    "shared/console/console.py handle": "one line for each event: the transitions in one place",
}


def limits(path: str) -> tuple[int, int]:
    """Lines of a module and of a function."""
    return (TEST_MODULE, TEST_FUNCTION) if path.startswith("tests/") else (MODULE, FUNCTION)


def too_large(path: str, text: str, limit: tuple[int, int]) -> set[str]:
    """The module, and each of its functions, that has more lines than it may; decorators are not counted."""
    found = {path} if text.count("\n") > limit[0] else set()
    if not path.endswith(".py"):
        return found
    functions = (each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
    return found | {f"{path} {each.name}" for each in functions if (each.end_lineno or 0) - each.lineno + 1 > limit[1]}


@pytest.fixture(scope="module")
def large() -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py", "*.js", "*.mjs"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    there = [path for path in listed if (ROOT / path).is_file()]
    assert len(there) > 500
    return {each for path in there for each in too_large(path, (ROOT / path).read_text(), limits(path))}


def test_nothing_is_larger_than_it_may_be_without_a_reason(large: set[str]) -> None:
    assert sorted(large - REASONS.keys()) == []


def test_no_reason_outlives_what_it_was_for(large: set[str]) -> None:
    assert sorted(REASONS.keys() - large) == []


def test_what_is_too_large_is_found() -> None:
    text = "def short() -> None:\n    pass\n\n\ndef long() -> None:\n    pass\n    pass\n"
    assert too_large("a.py", text, (7, 3)) == set()
    assert too_large("a.py", text, (7, 2)) == {"a.py long"}
    assert too_large("a.py", text, (6, 3)) == {"a.py"}
    assert too_large("a.js", text, (6, 1)) == {"a.js"}
