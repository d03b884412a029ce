"""The page in a real browser, in front of the whole product."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dev import demo
from tests.e2e.local_stack import LocalStack
from tests.e2e.person import SignedIn
from tests.patience import PATIENCE


@contextmanager
def signed_in(browser: Browser, stack: LocalStack, who: demo.Person) -> Iterator[Page]:
    """A browser of their own, signed in through the sign-in page."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.goto(stack.address)
        page.get_by_test_id("sign-in").click()
        page.get_by_role("button", name=who.name).click()
        expect(page.get_by_test_id("user-name")).to_contain_text(who.name)
        yield page


def open_console(page: Page, vm: str) -> None:
    page.locator(f'[data-testid="vm-row"][data-vm="{vm}"]').get_by_test_id("open-console").click()


def log_in(page: Page) -> None:
    """At the keyboard, as a person does: what counts is the line that one stands on, not what was there before."""
    screen = page.get_by_test_id("terminal")
    expect(page.get_by_test_id("state")).to_contain_text("Connected")
    expect(screen).to_contain_text(re.compile(r"login:\s*$"))
    page.keyboard.type(f"{demo.GUEST_USER}\n")
    expect(screen).to_contain_text(re.compile(r"Password:\s*$"))
    page.keyboard.type(f"{demo.GUEST_PASSWORD}\n")
    expect(screen).to_contain_text(re.compile(rf"{demo.GUEST_USER}@\S*\$\s*$"))


@pytest.mark.qemu
def test_a_person_signs_in_opens_a_console_logs_in_and_is_displaced(
    browser: Browser, stack: LocalStack, pictures: Path
) -> None:
    with SignedIn(stack, demo.ADA) as before, before.open(demo.VIRTUAL_MACHINES[0]) as console:
        console.log_out()
    with signed_in(browser, stack, demo.ADA) as ada, signed_in(browser, stack, demo.GRACE) as grace:
        ada.screenshot(path=pictures / "list.png")
        open_console(ada, "web-01")
        log_in(ada)
        ada.keyboard.type("echo six times seven is $((6*7))\n")
        expect(ada.get_by_test_id("terminal")).to_contain_text("six times seven is 42")
        ada.screenshot(path=pictures / "console.png")
        open_console(grace, "web-01")
        grace.get_by_test_id("take-over").click()
        expect(grace.get_by_test_id("state")).to_contain_text("Connected")
        expect(ada.get_by_test_id("takeover-notice")).to_contain_text("Grace Hopper")
        ada.screenshot(path=pictures / "displaced.png")


def test_what_stands_in_the_way_is_said_in_the_words_people_search_for(browser: Browser, stack: LocalStack) -> None:
    with signed_in(browser, stack, demo.GRACE) as page:
        for vm, words in (
            ("web-02", "requires a virtual machine to be running"),
            ("web-03", "requires boot diagnostics to be enabled"),
            ("db-01", "do not have the required permissions"),
        ):
            page.get_by_role("link", name=vm).first.click()
            expect(page.locator(".panel[data-testid=refusal]")).to_contain_text(words)
            page.go_back()


def test_a_vm_that_is_being_deployed_is_waited_for(browser: Browser, stack: LocalStack) -> None:
    with signed_in(browser, stack, demo.ADA) as page:
        page.get_by_role("link", name="web-05").first.click()
        expect(page.get_by_test_id("state")).to_contain_text("still being deployed, trying again")


def test_the_page_signs_out(browser: Browser, stack: LocalStack) -> None:
    with signed_in(browser, stack, demo.ALAN) as page:
        page.get_by_test_id("sign-out").click()
        expect(page.get_by_test_id("sign-in")).to_be_visible()
