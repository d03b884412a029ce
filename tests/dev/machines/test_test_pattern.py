import hashlib
import shutil
import subprocess
from itertools import pairwise

import pytest

from dev.machines import test_pattern


def test_no_two_neighbouring_bytes_are_equal() -> None:
    assert all(one != other for one, other in pairwise(test_pattern.stream(2000, seed=3)))


def test_seeds_give_different_streams_and_the_same_seed_the_same() -> None:
    assert test_pattern.stream(5, 1) == test_pattern.stream(5, 1) != test_pattern.stream(5, 2)


def test_the_last_line_is_the_hash_of_what_crosses_the_wire() -> None:
    text = test_pattern.transcript(3, 9)
    body, last = text[: 3 * 64], text[3 * 64 :]
    assert last == b"sha256 " + hashlib.sha256(body).hexdigest().encode() + b"\r\n"


@pytest.mark.skipif(shutil.which("awk") is None, reason="no awk here")
def test_the_command_in_the_guest_prints_the_same() -> None:
    done = subprocess.run(["sh", "-c", test_pattern.COMMAND, "say-hash", "40", "7"], capture_output=True, check=True)
    assert done.stdout.replace(b"\n", b"\r\n") == test_pattern.transcript(40, 7)
