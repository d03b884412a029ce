"""Where Microsoft's own parts of the Functions host are: a program that the variable HOST_PARTS names.

Nothing needs it to run; a test that does says what it did not check without it.
"""

import os

import pytest

HOST_PARTS = os.environ.get("HOST_PARTS", "")
needs_host_parts = pytest.mark.skipif(not HOST_PARTS, reason="HOST_PARTS is not set: not tried with Microsoft's part")
