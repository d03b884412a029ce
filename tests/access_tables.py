"""The written tables of docs/access.md: what the tests of access expect."""

from collections.abc import Mapping, Sequence

from dev.stack import ROOT

type Row = Mapping[str, str]


def table(first: str) -> Sequence[Row]:
    """The rows of the table whose first column is called so, each cell by its column's name."""
    lines = (ROOT / "docs" / "access.md").read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    columns = _cells(lines[start])
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(dict(zip(columns, _cells(line), strict=True)))
    return rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
