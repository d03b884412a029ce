"""A stronger sign-in, as a person meets it in the page: what the tenant demands, and what a policy does."""

from playwright.sync_api import Browser, Page, expect

from dev import demo
from tests.e2e.local_stack import LocalStack
from tests.e2e.person import SignedIn
from tests.e2e.test_access_page import WEB_04, connected, free, policy
from tests.e2e.test_page import open_console, signed_in


def step_up(page: Page) -> None:
    """Says yes on the phone, after the page has said why it leaves."""
    page.get_by_role("button", name="Sign in again").click()
    expect(page.get_by_role("heading", name="Approve the sign-in")).to_be_visible()
    expect(page.get_by_role("button", name="Approve on your phone")).to_be_focused()
    page.keyboard.press("Enter")


def test_what_the_tenant_demands_reaches_the_person_who_then_sees_the_consoles(
    browser: Browser, stack: LocalStack, ada: SignedIn
) -> None:
    free(ada, WEB_04)
    with signed_in(browser, stack, demo.EDITH) as page:
        step_up(page)
        expect(page.get_by_text("web-01").first).to_be_visible()
        open_console(page, "web-04")
        connected(page)


def test_a_policy_that_demands_a_context_for_writing_is_answered_and_one_comes_back_to_the_console(
    browser: Browser, stack: LocalStack, ada: SignedIn
) -> None:
    free(ada, WEB_04)
    with policy(ada, WEB_04, signIn={"write": "c1"}), signed_in(browser, stack, demo.GRACE) as page:
        open_console(page, "web-04")
        step_up(page)
        connected(page)
