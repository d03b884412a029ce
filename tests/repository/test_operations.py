"""docs/operations.md, held to what the code writes, counts and keeps."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dev.stack import ROOT
from relay.control.commands import _metric
from relay.server import DRAIN_SECONDS
from shared.base.record import Batch, Record, RecordKind, Source
from shared.base.settings import names
from shared.session.key_versions import LIST_SECONDS, PUBLIC_SECONDS
from shared.session.keys.token_keys import FRESH_SECONDS
from shared.session.tables.sessions import LIVE
from shared.settings import FunctionSettings, RelaySettings

PAGE = (ROOT / "docs/operations.md").read_text()
CODE = [path for part in ("relay", "functions", "shared") for path in sorted((ROOT / part).rglob("*.py"))]
SOURCE = "\n".join(path.read_text() for path in CODE)


def tables() -> set[str]:
    return {
        found[1]
        for path in (ROOT / "shared").glob("*/tables/*.py")
        if (found := re.search(r'^TABLE = "(\w+)"$', path.read_text(), re.MULTILINE))
    }


def faults(page: str) -> list[str]:
    """What it names and the code has not."""
    counted = set(re.findall(r'_metric\("(\w+)"', SOURCE)) | {"refused_total"}
    said = [f"no figure {name}" for name in re.findall(r"`serial_console_(\w+)`", page) if name not in counted]
    said += [f"a figure is not told: {name}" for name in counted if f"`serial_console_{name}`" not in page]
    settings = {*names(FunctionSettings), *names(RelaySettings)}
    named = re.findall(r"`([A-Z]+(?:_[A-Z]+)+|RELAYS)`", page)
    said += [f"no setting {name}" for name in named if name not in settings]
    said += [f"no log line {text}" for text in _quoted(page) if text not in SOURCE]
    return said + [f"no word of the table {name}" for name in tables() if f"`{name}`" not in page]


def _quoted(page: str) -> list[str]:
    """What it quotes of the logs: up to the first number or ellipsis, which differ from line to line."""
    prose = re.sub(r"^ {4}.*$", "", page, flags=re.MULTILINE)
    return [re.split(r"\d|\.\.\.", text)[0] for text in re.findall(r'"([a-z][^"]{12,})"', prose)]


def test_what_it_names_is_there() -> None:
    assert faults(PAGE) == []
    assert len(_quoted(PAGE)) > 3
    assert tables()


@pytest.mark.parametrize(
    ("part", "instead", "fault"),
    [
        ("serial_console_spool_writable", "serial_console_spool_ok", "no figure spool_ok"),
        ("`serial_console_captured`, ", "", "a figure is not told: captured"),
        ("`SPOOL_BYTES`", "`SPOOL_SIZE`", "no setting SPOOL_SIZE"),
        ("records were set aside in dead-letter", "records were put aside in dead-letter", "no log line"),
        ("`paces`", "`rates`", "no word of the table paces"),
    ],
)
def test_what_is_not_there_is_named(part: str, instead: str, fault: str) -> None:
    assert part in PAGE
    assert any(fault in each for each in faults(PAGE.replace(part, instead)))


def test_of_each_table_it_says_how_long_its_rows_live() -> None:
    section = PAGE.partition("## How long rows live")[2].partition("\n## ")[0]
    first_cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)} == tables() | {LIVE}


def test_times_are_those_of_the_code() -> None:
    assert f"within {DRAIN_SECONDS:.0f} s" in PAGE
    assert PUBLIC_SECONDS == 600
    assert LIST_SECONDS == FRESH_SECONDS == 300
    assert "signs after ten minutes" in PAGE


def test_figures_begin_as_it_says() -> None:
    assert all("serial_console_sessions" in line for line in _metric("sessions", "gauge", "sessions attached", 1))


def test_the_command_that_shows_a_dead_letter_shows_it(tmp_path: Path) -> None:
    letter = tmp_path / "LETTER"
    records = (Record(RecordKind.PRINTED, 7, 1, b"hello\xff"),)
    letter.write_bytes(Batch(Source("/subscriptions/s", "e", "r0"), records).encode())
    command = re.search(r"^ {4}\.venv/bin/python -c '(.*)' LETTER$", PAGE, re.MULTILINE)
    assert command
    told = [sys.executable, "-c", command[1], str(letter)]
    said = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "/subscriptions/s" in said.stdout
    assert "7 PRINTED b'hello\\xff'" in said.stdout
