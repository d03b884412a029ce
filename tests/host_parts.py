"""Microsoft's own parts of the Functions host: a program that the variable HOST_PARTS names.

Nothing needs it to run; a test that does says what it did not check without it.
"""

import os

import pytest

PROGRAM = os.environ.get("HOST_PARTS", "")
needs_host_parts = pytest.mark.skipif(
    not PROGRAM, reason="HOST_PARTS names no program: not tried with Microsoft's own part"
)
