"""The boot log that Azure keeps: through the API, and above a console that opens."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from dev import demo
from tests.e2e.local_stack import LocalStack
from tests.e2e.person import SignedIn
from tests.e2e.test_page import open_console, signed_in

WEB_01 = demo.VIRTUAL_MACHINES[0]


@pytest.mark.qemu
def test_the_boot_log_is_read_through_the_api_and_shown_above_the_console(
    browser: Browser, stack: LocalStack, ada: SignedIn, pictures: Path
) -> None:
    with ada.open(WEB_01) as console:
        console.log_out()
    kept = ada.get(f"{WEB_01.id}/serialConsole/bootLog", format="raw", tail="4096")
    assert (kept.status_code, kept.headers["content-type"]) == (200, "application/octet-stream")
    assert kept.content in stack.printed(WEB_01)
    shot = ada.get(f"{WEB_01.id}/serialConsole/bootScreenshot")
    assert (shot.headers["content-type"], shot.content[:2]) == ("image/bmp", b"BM")
    reads = {each["what"] for each in ada.get(f"{WEB_01.id}/serialConsole/transcript/reads").json()["value"]}
    assert {"boot log", "boot screenshot"} <= reads
    with signed_in(browser, stack, demo.ADA) as page:
        open_console(page, "web-01")
        expect(page.get_by_test_id("state")).to_contain_text("Connected")
        log = page.get_by_test_id("boot-log")
        expect(log).to_contain_text("Boot log that Azure kept: the last")
        log.locator("summary").click()
        expect(log).to_contain_text("login:")
        page.get_by_test_id("boot-screenshot").click()
        expect(log.locator("img")).to_be_visible()
        page.screenshot(path=pictures / "boot-log.png")


def test_a_vm_without_boot_diagnostics_has_none_and_says_why(ada: SignedIn) -> None:
    web_03 = next(vm for vm in demo.VIRTUAL_MACHINES if vm.name == "web-03")
    answer = ada.get(f"{web_03.id}/serialConsole/bootLog")
    assert answer.json()["error"]["code"] == "BootDiagnosticsDisabled"
