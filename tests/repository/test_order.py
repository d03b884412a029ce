"""How tests are handed out and take ports, which every one of them relies on."""

import subprocess
import sys

from dev.stack import ROOT
from tests import order
from tests.ports import reserve_port, reserve_run


def test_every_file_that_is_named_for_its_length_or_its_stack_is_there() -> None:
    named = [*order.FIRST, *(f"tests/e2e/{name}.py" for names in order.STACKS.values() for name in names)]
    assert [name for name in named if not (ROOT / name).exists()] == []
    assert len(set(named)) == len(named)


def test_two_processes_share_no_port() -> None:
    here = {reserve_port() for _ in range(40)}
    words = "from tests.ports import reserve_port; print(*(reserve_port() for _ in range(40)))"
    told = subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    there = {int(port) for port in told.split()}
    assert len(here) == len(there) == 40
    assert here & there == set()


def test_a_run_of_ports_is_handed_out_once() -> None:
    first, second = reserve_run(), reserve_run()
    assert abs(first - second) >= 16
    assert reserve_port() not in {*range(first, first + 16), *range(second, second + 16)}
