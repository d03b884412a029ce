"""For every test: an example that hypothesis tries may take as long as a busy machine needs. The end of a run says what
was not checked, because a part is not here that only some machines have.
"""

import pytest
from hypothesis import settings

from tests.not_checked import not_checked

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [(report.nodeid, report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    lines = not_checked((node, str(why[2])) for node, why in skipped if isinstance(why, tuple))
    if lines:
        terminalreporter.section("not checked here")
        for line in lines:
            terminalreporter.line(line)
