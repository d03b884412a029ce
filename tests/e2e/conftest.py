"""One stack for all end-to-end tests, a browser, and the demo people."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from dev import demo
from dev.prepare import browser as installed_browser
from tests.e2e.local_stack import LocalStack
from tests.e2e.person import SignedIn
from tests.patience import PATIENCE

CHROMIUM = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="package")  # it ends when other tests begin
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    # Usually live sessions are looked at again every 50 s and answers are kept for 15: long for a test to wait.
    stack = LocalStack(
        tmp_path_factory.mktemp("stack"), RECHECK_SECONDS="2", CACHE_SECONDS="0", REGIONS_CLOSED="preview"
    )
    try:
        stack.wait_until_up()
        stack.lift_throttle()
        yield stack
    finally:
        status = stack.stop()
    assert status == 0, stack.said()


@pytest.fixture
def ada(stack: LocalStack) -> Iterator[SignedIn]:
    """Contributor on the whole subscription."""
    with SignedIn(stack, demo.ADA) as ada:
        yield ada


@pytest.fixture
def grace(stack: LocalStack) -> Iterator[SignedIn]:
    """VM Contributor on rg-web, Reader on rg-data."""
    with SignedIn(stack, demo.GRACE) as grace:
        yield grace


@pytest.fixture
def alan(stack: LocalStack) -> Iterator[SignedIn]:
    """Reader everywhere."""
    with SignedIn(stack, demo.ALAN) as alan:
        yield alan


@pytest.fixture(scope="module")  # its event loop would be in the way of other modules' tests
def browser() -> Iterator[Browser]:
    path = installed_browser()
    assert path, "no Chromium: run `make setup` for tests, or set CHROMIUM"
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM), timeout=PATIENCE * 1000)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots of a run lie, for people to look at."""
    folder = Path(__file__).resolve().parent.parent.parent / ".local" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
