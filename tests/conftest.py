"""For every test: an example that hypothesis tries may take as long as a busy machine needs, and long files come first.
The end of a run says what was not checked, because a part is not here that only some machines have.
"""

from pathlib import Path

import pytest
from hypothesis import settings

from tests import order
from tests.not_checked import not_checked

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="leave out end-to-end tests and the files that take longest")


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [f"left out by --fast: {', '.join(order.FIRST)}"] if config.option.fast else []


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return (config.option.fast and order.is_long(collection_path)) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order.sort(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> order.ByFile:
    return order.ByFile(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [(report.nodeid, report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    lines = not_checked((node, str(why[2])) for node, why in skipped if isinstance(why, tuple))
    if lines:
        terminalreporter.section("not checked here")
        for line in lines:
            terminalreporter.line(line)
