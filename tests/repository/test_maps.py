"""The maps at the head of packages, a line for a module (`name   what it is for`), held to the folder beside them."""

import ast
import re
from pathlib import Path

import pytest

from dev.stack import ROOT

ROW = re.compile(r"^ *(\w+(?:, \w+)*) {2,}\S", re.MULTILINE)
PARTS = ("functions", "relay", "shared", "dev", "smoke", "bench")
ENTRIES = {"__init__", "__main__", "__pycache__", "node_modules"}


def faults(text: str, there: set[str]) -> list[str]:
    """What a map lacks, and what it names that is not there."""
    named = {name for row in ROW.findall(text) for name in row.split(", ")}
    words = {*re.findall(r"\w+", text)}
    return sorted(
        [f"lacks {each}" for each in there - words] + [f"there is no {each}" for each in named - there - ENTRIES]
    )


def text_of(package: Path) -> str:
    return ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""


def modules(package: Path) -> set[str]:
    """Modules, packages, and folders of programs in other languages."""
    return {each.stem for each in package.iterdir() if each.is_dir() or each.suffix in {".py", ""}} - ENTRIES


MAPS = {
    str(init.parent.relative_to(ROOT)): init.parent
    for part in PARTS
    for init in sorted((ROOT / part).rglob("__init__.py"))
    if "node_modules" not in init.parts and len(ROW.findall(text_of(init.parent))) > 1
}


def test_the_large_packages_have_a_map() -> None:
    assert {
        "functions",
        "relay",
        "shared",
        "shared/access",
        "shared/console",
        "dev",
        "dev/arm",
        "dev/functions_host",
    } <= MAPS.keys()


@pytest.mark.parametrize("name", MAPS)
def test_a_map_shows_every_module_of_its_folder_and_no_other(name: str) -> None:
    assert faults(text_of(MAPS[name]), modules(MAPS[name])) == []


def test_what_a_map_lacks_and_what_is_gone_is_named() -> None:
    text = "A package.\n\nport, line   the port; bytes are in voice\ngone         nobody knows\n"
    assert faults(text, {"port", "line", "voice", "people"}) == ["lacks people", "there is no gone"]
