"""docs/fidelity.md, held to the files that it names and to docs/verify-in-azure.md."""

import re

import pytest

from dev.stack import ROOT

PAGE = (ROOT / "docs/fidelity.md").read_text()
WALK = (ROOT / "docs/verify-in-azure.md").read_text()
CELLS = 3
HEAD = "| behaviour | source | shown by |\n|---|---|---|\n"


def faults(page: str, walk: str) -> list[str]:
    """What the two pages say that does not hold."""
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| behaviour |")]
    found = [fault for row in rows for fault in _row(row)] + _without_head(page) + _out_of_order(page)
    beliefs = re.findall(r"^- \*\*([A-Z]\d+)\*\* ", page, re.MULTILINE)
    found += [f"belief {each} is there twice" for each in {*beliefs} if beliefs.count(each) > 1]
    cited = {name for group in re.findall(r"beliefs? ([A-Z]\d+(?:, [A-Z]\d+)*)", walk) for name in group.split(", ")}
    found += [f"no step confirms belief {each}" for each in beliefs if each not in cited]
    steps = re.findall(r"^\| (R?\d+) \|", walk, re.MULTILINE)
    found += [f"step {each} is there twice" for each in {*steps} if steps.count(each) > 1]
    bare = re.findall(r"^\| (R?\d+) \|(?!.*beliefs? [A-Z]\d)", walk, re.MULTILINE)
    found += [f"step {each} confirms no belief" for each in bare]
    return found + [f"verify-in-azure cites {each}, which is no belief" for each in cited - {*beliefs}]


def _without_head(page: str) -> list[str]:
    """A run of rows that begins with none of a table's head is shown as text."""
    runs = re.findall(r"(?:^\|.*\n?)+", page, re.MULTILINE)
    return [f"no head above: {run[:60]}" for run in runs if not run.startswith(HEAD)]


def _out_of_order(page: str) -> list[str]:
    """Beliefs of a section are one list, by their numbers."""
    lists = [re.findall(r"^- \*\*([A-Z])(\d+)\*\* ", section, re.MULTILINE) for section in page.split("\n## ")]
    sections = [section.partition("\n")[0] for section in page.split("\n## ") if section.count("\nBelieved:") > 1]
    wrong = [f"not by number: {each}" for each in lists if each != sorted(each, key=lambda name: int(name[1]))]
    return wrong + [f"two lists of beliefs: {section}" for section in sections]


def _row(row: str) -> list[str]:
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]
    if len(cells) != CELLS or not all(cells):
        return [f"not three full cells: {row[:60]}"]
    named = re.findall(r"`((?:tests|bench|infra|dev)/[\w./-]+)", cells[2])
    gone = [f"there is no {path}" for path in named if not (ROOT / path).exists()]
    return gone or ([] if named else [f"nothing shows: {row[:60]}"])


def test_what_the_page_names_is_there() -> None:
    assert faults(PAGE, WALK) == []


@pytest.mark.parametrize(
    ("page", "walk", "fault"),
    [
        ("| a body | somewhere | `tests/nowhere.py` |", "", "there is no tests/nowhere.py"),
        ("| a body | somewhere | |", "", "not three full cells"),
        ("| a body | somewhere | we think |", "", "nothing shows"),
        ("- **G1** the banner", "", "no step confirms belief G1"),
        ("", "the banner (beliefs G1, G2)", "verify-in-azure cites G2"),
        (f"{HEAD}\n| a body | somewhere | `dev/arm` |", "", "no head above: | a body"),
        ("- **G2** the banner\n- **G1** the token", "", "not by number"),
        ("## Gateway\n\nBelieved:\n\nBelieved:\n", "", "two lists of beliefs"),
        ("", "| 1 | this |\n| R1 | this |\n| 1 | that |", "step 1 is there twice"),
        ("", "| 1 | this |\n| 2 | that (belief G1) |", "step 1 confirms no belief"),
    ],
)
def test_what_is_not_there_is_named(page: str, walk: str, fault: str) -> None:
    assert any(fault in each for each in faults(page, walk))


def test_a_belief_that_a_step_confirms_is_no_fault() -> None:
    assert faults("- **G1** the banner", "step 1 (belief G1)") == []
