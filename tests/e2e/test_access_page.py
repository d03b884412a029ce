"""Who may do what, as people meet it in the page: checks, acts, reasons, approval, who is connected."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dev import demo
from tests.e2e.local_stack import LocalStack, until
from tests.e2e.person import SignedIn
from tests.e2e.test_page import open_console, signed_in

WEB_01, WEB_02, WEB_04 = (vm for vm in demo.VIRTUAL_MACHINES if vm.name in ("web-01", "web-02", "web-04"))
BOOTED = b"Started after"
"""What the demo machine prints once for every start."""


@contextmanager
def policy(ada: SignedIn, vm: demo.VirtualMachine, **demands: Any) -> Iterator[None]:
    """Ada sets it, and takes it away again."""
    address = f"{vm.id}/serialConsole/policy"
    assert (answer := ada.api.put(address, json=demands)).is_success, answer.text
    try:
        yield
    finally:
        assert (answer := ada.api.delete(address)).is_success, answer.text


def free(ada: SignedIn, vm: demo.VirtualMachine) -> None:
    """Waits until whoever had the console has left it: a page that was just closed leaves a moment later."""

    def nobody_writes() -> bool:
        answer = ada.get(f"{vm.id}/serialConsole")
        assert answer.is_success, answer.text
        return answer.json()["console"]["writer"] is None

    until(nobody_writes, f"nobody writes on {vm.name}")


def connected(page: Page) -> None:
    expect(page.get_by_test_id("state")).to_contain_text("Connected")


def watch(page: Page, vm: str) -> None:
    """Beside somebody who has the console."""
    open_console(page, vm)
    page.get_by_test_id("watch").click()
    expect(page.get_by_test_id("state")).to_contain_text("Watching")


@pytest.mark.qemu
def test_a_restart_is_confirmed_and_everybody_at_the_console_reads_whose_it_was(
    browser: Browser, stack: LocalStack
) -> None:
    with signed_in(browser, stack, demo.ADA) as ada, signed_in(browser, stack, demo.GRACE) as grace:
        open_console(ada, "web-01")
        connected(ada)
        watch(grace, "web-01")
        until(lambda: BOOTED in stack.printed(WEB_01), "web-01 is up", said=stack.said)
        before = stack.printed(WEB_01).count(BOOTED)
        ada.get_by_test_id("vm-menu").click()
        ada.get_by_test_id("act-restart").click()
        expect(ada.get_by_role("dialog")).to_contain_text("asks the guest to shut down")
        expect(ada.get_by_role("button", name="Cancel")).to_be_focused()
        ada.get_by_test_id("confirm-act").click()
        expect(ada.get_by_test_id("result")).to_contain_text("You restarted web-01")
        expect(grace.get_by_test_id("result")).to_contain_text("Ada Lovelace restarted web-01")
        expect(grace.get_by_test_id("terminal")).to_contain_text("Ada Lovelace restarted web-01")
        until(lambda: stack.printed(WEB_01).count(BOOTED) > before, "the guest has started again", said=stack.said)


def test_the_menu_of_acts_is_used_by_keyboard_alone_and_escape_does_nothing_to_the_vm(
    browser: Browser, stack: LocalStack, ada: SignedIn
) -> None:
    free(ada, WEB_04)
    with signed_in(browser, stack, demo.ADA) as page:
        open_console(page, "web-04")
        connected(page)
        menu = page.get_by_test_id("vm-menu")
        menu.focus()
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("menuitem", name="Restart")).to_be_focused()
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("sysrq-keys")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_test_id("result")).to_have_text("")


def test_a_reason_is_asked_for_until_it_fits_and_then_remembered(
    browser: Browser, stack: LocalStack, ada: SignedIn
) -> None:
    with policy(ada, WEB_04, reason=True, tickets=["INC-*"]), signed_in(browser, stack, demo.ADA) as page:
        open_console(page, "web-04")
        page.get_by_test_id("reason").fill("because")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_contain_text("INC-*")
        expect(page.get_by_test_id("reason")).to_have_value("because")
        page.get_by_test_id("reason").fill("INC-7 the disk is full")
        page.keyboard.press("Enter")
        connected(page)
        page.get_by_test_id("disconnect").click()
        page.get_by_test_id("connect").click()
        connected(page)


def test_who_gives_no_reason_is_told_what_is_missing(browser: Browser, stack: LocalStack, ada: SignedIn) -> None:
    with policy(ada, WEB_04, reason=True), signed_in(browser, stack, demo.ADA) as page:
        open_console(page, "web-04")
        expect(page.get_by_test_id("reason")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("refusal")).to_contain_text("A reason is needed")


def test_somebody_asks_somebody_else_denies_and_then_approves_and_the_console_opens(
    browser: Browser, stack: LocalStack, ada: SignedIn
) -> None:
    with (
        policy(ada, WEB_04, approval=["write"]),
        signed_in(browser, stack, demo.ADA) as asking,
        signed_in(browser, stack, demo.GRACE) as deciding,
    ):
        open_console(asking, "web-04")
        ask(asking, "look at the boot")
        decide(deciding, "deny", "not during the freeze")
        expect(asking.get_by_test_id("approval")).to_contain_text("not during the freeze")
        ask(asking, "the node is down")
        asking.get_by_role("link", name="All consoles").click()
        expect(asking.get_by_test_id("approvals")).to_contain_text("Your requests")
        open_console(asking, "web-04")
        expect(asking.get_by_test_id("state")).to_contain_text("Waiting for approval")
        decide(deciding, "approve", "go ahead")
        connected(asking)


def ask(page: Page, reason: str) -> None:
    page.get_by_test_id("ask-approval").click()
    page.get_by_test_id("reason").fill(reason)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("state")).to_contain_text("Waiting for approval")


def decide(page: Page, how: str, comment: str) -> None:
    page.get_by_role("link", name="Serial Console").click()
    badge = page.get_by_test_id("approvals")
    expect(badge).to_contain_text("Requests for approval (1)")
    badge.click()
    request = page.get_by_test_id("request")
    expect(request).to_contain_text("Ada Lovelace")
    request.get_by_test_id("comment").fill(comment)
    request.get_by_test_id(how).click()
    expect(request.get_by_role("status")).to_contain_text("You ")


def test_an_administrator_sees_who_is_connected_and_ends_a_session(browser: Browser, stack: LocalStack) -> None:
    with signed_in(browser, stack, demo.GRACE) as grace, signed_in(browser, stack, demo.ADA) as ada:
        open_console(grace, "web-01")
        connected(grace)
        watch(ada, "web-01")
        ada.get_by_role("button", name="Access").click()
        hers = ada.get_by_test_id("session").filter(has_text="Grace Hopper").filter(has_text="writing")
        hers.get_by_test_id("end-session").click()
        ada.get_by_test_id("confirm-end").click()
        expect(hers).to_have_count(0)
        expect(grace.get_by_test_id("ended")).to_contain_text("Ada Lovelace")


def test_a_console_that_a_policy_switches_off_says_so_at_once(
    browser: Browser, stack: LocalStack, ada: SignedIn
) -> None:
    free(ada, WEB_04)
    with signed_in(browser, stack, demo.GRACE) as page:
        open_console(page, "web-04")
        connected(page)
        with policy(ada, WEB_04, console="off"):
            expect(page.get_by_test_id("state")).to_have_text("Ended because a policy switched the console off")
            page.get_by_test_id("connect").click()
            expect(page.get_by_test_id("refused-check")).to_contain_text("A policy switched the console off")
        page.get_by_test_id("connect").click()
        connected(page)


def test_a_reader_sees_everything_that_they_lack_and_nothing_to_do_to_the_vm(
    browser: Browser, stack: LocalStack
) -> None:
    with signed_in(browser, stack, demo.ALAN) as page:
        page.get_by_role("link", name="db-01").first.click()
        lacking = page.get_by_test_id("refused-check")
        expect(lacking.first).to_contain_text("You lack the role for this console")
        expect(lacking.first.get_by_role("button", name="Copy")).to_be_visible()
        expect(page.locator("[data-code=StoragePermissionDenied]")).to_be_visible()
        passed = page.get_by_test_id("passed")
        expect(passed.get_by_role("listitem").first).to_be_hidden()
        passed.locator("summary").click()
        expect(passed).to_contain_text("Boot diagnostics")
        expect(page.get_by_test_id("vm-menu")).to_be_hidden()


def test_all_that_stands_in_the_way_is_said_together(browser: Browser, stack: LocalStack) -> None:
    with signed_in(browser, stack, demo.ALAN) as page:
        page.get_by_role("link", name="web-02").first.click()
        codes = [one.get_attribute("data-code") for one in _settled(page).all()]
        assert codes == ["VmPermissionDenied", "VmNotRunning"], "in the order in which a person mends them"


def _settled(page: Page) -> Any:
    checks = page.get_by_test_id("refused-check")
    expect(checks.first).to_be_visible()
    return checks


@pytest.mark.qemu
def test_a_vm_that_is_started_from_its_panel_is_waited_for(browser: Browser, stack: LocalStack, ada: SignedIn) -> None:
    with signed_in(browser, stack, demo.ADA) as page:
        open_console(page, "web-02")
        page.get_by_test_id("start").click()
        page.get_by_test_id("confirm-act").click()
        try:
            connected(page)
        finally:
            assert (answer := ada.api.post(f"{WEB_02.id}/serialConsole/stop", json={})).is_success, answer.text
        expect(page.get_by_test_id("ended")).to_contain_text("Ended because the VM stopped")
        expect(page.get_by_test_id("ended").get_by_test_id("start")).to_be_visible()
        until(lambda: "VmNotRunning" in ada.get(f"{WEB_02.id}/serialConsole").text, "web-02 is deallocated as before")


@pytest.mark.qemu
def test_sysrq_reaches_the_kernel(browser: Browser, stack: LocalStack) -> None:
    with signed_in(browser, stack, demo.ADA) as page:
        open_console(page, "web-01")
        connected(page)
        page.get_by_test_id("vm-menu").click()
        page.get_by_test_id("act-sysrq").click()
        page.get_by_role("button", name="Add h.").click()
        page.get_by_test_id("send").click()
        expect(page.get_by_test_id("result")).to_contain_text("You sent SysRq to web-01")
        expect(page.get_by_test_id("terminal")).to_contain_text("sysrq: HELP")
