"""Microsoft's own parts of the Functions host, where their program is there (variable HOST_PARTS)."""

import os

import pytest

PROGRAM = os.environ.get("HOST_PARTS", "")
needs_host_parts = pytest.mark.skipif(
    not PROGRAM, reason="HOST_PARTS names no program: nothing is said about Microsoft's own engine"
)
