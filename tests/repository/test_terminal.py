"""What the command line says, held to the smallest terminal that people use: 80 columns, 24 lines."""

import os
import subprocess
import sys

import pytest

from dev.stack import ROOT

COLUMNS, LINES = 80, 24


def said(*command: str) -> list[str]:
    environment = os.environ | {"COLUMNS": str(COLUMNS)}
    return subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout.splitlines()


def test_the_list_of_what_one_can_do_fits() -> None:
    lines = said("make", "--no-print-directory", "help")
    assert len(lines) < LINES
    assert [line for line in lines if len(line) > COLUMNS] == []


@pytest.mark.parametrize("module", ["dev.chaos", "dev.smoke", "dev.up", "shared.verify", "smoke"])
def test_a_programs_help_fits(module: str) -> None:
    lines = said(sys.executable, "-m", module, "--help")
    assert [line for line in lines if len(line) > COLUMNS] == []
