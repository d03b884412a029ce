"""The end of a run says what it did not check."""

import os
import subprocess
import sys

from dev.stack import ROOT
from tests.not_checked import not_checked


def test_a_reason_is_said_once_with_how_many_tests_and_where() -> None:
    skipped = [("a.py::one", "Skipped: X is not set"), ("b.py::one[1]", "Skipped: X is not set"), ("b.py::two", "no Y")]
    assert not_checked(skipped) == ["2 tests of a.py, b.py: X is not set", "1 test of b.py: no Y"]
    assert not_checked([]) == []


def test_a_run_without_microsofts_compiler_ends_with_what_it_did_not_ask() -> None:
    environment = {**os.environ, "BICEP": ""}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/infra/test_compiles.py"]
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert "not checked here" in said
    assert "of tests/infra/test_compiles.py: BICEP is not set: the compiler was not asked\n" in said
