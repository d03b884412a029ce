"""The page for whoever sees little, hears it read, has no mouse or little room; what it says when nobody answers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, WebSocketRoute, expect

from dev import demo
from tests.e2e.local_stack import LocalStack, until
from tests.e2e.person import SignedIn
from tests.e2e.test_access_page import connected, free, watch
from tests.e2e.test_page import open_console, signed_in

LOOKS = (Path(__file__).parent / "looks.js").read_text()
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 780}
WEB_01, WEB_04 = (vm for vm in demo.VIRTUAL_MACHINES if vm.name in ("web-01", "web-04"))
LIVE = "document.getElementById('live').textContent"
STILL = "document.getAnimations().every((one) => one.effect.getTiming().iterations === Infinity)"
WHOLE = """document.querySelector('.xterm-rows').getBoundingClientRect().bottom
    <= document.querySelector('.stage').getBoundingClientRect().bottom"""


def faults(page: Page) -> list[str]:
    """Of the page as it is, wide and narrow, light and dark."""
    found: list[str] = []
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a TypedDict
        for theme in ("light", "dark"):
            page.evaluate("async (theme) => (await import('/ui/prefs.js')).prefer({ theme })", theme)
            until(lambda: bool(page.evaluate(STILL)), "nothing fades any more")
            found += [f"{size['width']} {theme}: {fault}" for fault in page.evaluate(LOOKS)]
    return found


def answer(page: Page, path: str, status: int, body: Any = "", **headers: str) -> None:
    """What the service, or the host in its place, answers from now on."""

    def fulfill(route: Route) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        route.fulfill(
            status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=text
        )

    page.unroute(path)
    page.route(path, fulfill)


def throttled(seconds: int) -> dict[str, Any]:
    inner = {"fix": "Try again later.", "retryable": True, "retryAfterSeconds": seconds}
    return {"error": {"code": "AzureThrottled", "message": "Azure takes no more requests now.", "innererror": inner}}


def between(page: Page) -> Callable[[dict[str, Any]], None]:
    """Puts itself between the page and the relay; what is called then says a frame to the page as the relay would."""
    sockets: list[WebSocketRoute] = []

    def connect(socket: WebSocketRoute) -> None:
        relay = socket.connect_to_server()
        socket.on_message(relay.send)
        relay.on_message(socket.send)
        sockets.append(socket)

    page.route_web_socket("**/v1/console*", connect)
    return lambda frame: sockets[-1].send(json.dumps(frame))


def hears(page: Page, words: str) -> None:
    until(lambda: words in page.evaluate(LIVE), f"{words} is heard")


def test_the_lists_can_be_read_by_everybody(browser: Browser, stack: LocalStack) -> None:
    with signed_in(browser, stack, demo.ALAN) as page:
        expect(page.get_by_test_id("vm-row").first).to_be_visible()
        assert faults(page) == []
        page.goto(f"{stack.address}/#/recordings{WEB_04.id}")
        expect(page.get_by_role("alert")).to_be_visible()
        assert faults(page) == []


def test_a_console_can_be_read_by_everybody(browser: Browser, stack: LocalStack, ada: SignedIn) -> None:
    free(ada, WEB_04)
    with signed_in(browser, stack, demo.ADA) as page:
        open_console(page, "web-04")
        connected(page)
        expect(page.get_by_test_id("warning")).to_be_visible()
        assert faults(page) == []
        page.get_by_test_id("disconnect").click()
        expect(page.get_by_test_id("ended")).to_be_visible()
        assert faults(page) == []
        page.get_by_role("button", name="Access").click()
        expect(page.get_by_test_id("checks")).to_be_visible()
        assert faults(page) == []


def test_no_line_of_the_terminal_is_cut_and_no_warning_lies_over_it(
    browser: Browser, stack: LocalStack, ada: SignedIn
) -> None:
    free(ada, WEB_04)
    with signed_in(browser, stack, demo.ADA) as page:
        open_console(page, "web-04")
        connected(page)
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)  # type: ignore[arg-type]  # a TypedDict
            until(lambda: bool(page.evaluate(WHOLE)), "the terminal fits where it stands")
            warning, below = page.get_by_test_id("warning").bounding_box(), page.locator(".stage").bounding_box()
            assert warning
            assert below
            assert warning["y"] + warning["height"] <= below["y"]


def test_every_console_is_reached_by_tab_and_by_arrows(browser: Browser, stack: LocalStack) -> None:
    with signed_in(browser, stack, demo.ADA) as page:
        expect(page.get_by_test_id("vm-row")).to_have_count(len(demo.VIRTUAL_MACHINES))
        page.get_by_role("button", name="Refresh").focus()
        reached = []
        for _ in range(5 * len(demo.VIRTUAL_MACHINES)):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.closest('.vm') && document.activeElement.textContent"))
        assert {vm.name for vm in demo.VIRTUAL_MACHINES} <= set(reached)
        page.get_by_role("link", name="Recordings of web-01").focus()
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("link", name="web-02, console not possible")).to_be_focused()


def test_a_button_that_was_pressed_keeps_the_focus(browser: Browser, stack: LocalStack) -> None:
    with signed_in(browser, stack, demo.ADA) as page:
        expect(page.get_by_test_id("vm-row").first).to_be_visible()
        refresh = page.get_by_role("button", name="Refresh")
        refresh.focus()
        with page.expect_response("**/api/consoles*"):
            page.keyboard.press("Enter")
            expect(refresh).to_be_focused()
        expect(refresh).not_to_have_attribute("aria-disabled", "true")
        expect(refresh).to_be_focused()


def test_a_list_that_could_not_be_refreshed_says_above_it_that_it_is_old_and_tries_again(
    browser: Browser, stack: LocalStack
) -> None:
    with signed_in(browser, stack, demo.ADA) as page:
        expect(page.get_by_test_id("vm-row").first).to_be_visible()
        answer(page, "**/api/consoles*", 429, throttled(3), x_ms_error_code="AzureThrottled")
        page.get_by_role("button", name="Refresh").click()
        problem = page.get_by_test_id("problem")
        expect(problem).to_contain_text("The list below is as it was before")
        expect(page.get_by_test_id("again")).to_contain_text("It is tried again in 1 s")
        said, row = problem.bounding_box(), page.get_by_test_id("vm-row").first.bounding_box()
        assert said
        assert row
        assert said["y"] + said["height"] <= row["y"]
        page.unroute("**/api/consoles*")
        expect(page.get_by_role("alert")).to_have_count(0)
        expect(page.get_by_test_id("vm-row").first).to_be_visible()


def test_where_azure_was_not_asked_nobody_is_sent_to_an_owner(browser: Browser, stack: LocalStack) -> None:
    with signed_in(browser, stack, demo.ADA) as page:
        unasked = {"subscription": demo.SUBSCRIPTION, "code": "AzureTimeout", "message": "Azure did not answer."}
        answer(page, "**/api/consoles*", 200, {"value": [], "unasked": [unasked]})
        page.reload()
        expect(page.get_by_test_id("unasked")).to_contain_text("Azure did not answer")
        expect(page.locator(".empty")).to_have_text("No virtual machine was found where Azure answered.")


@pytest.mark.parametrize(
    ("status", "says", "offers"),
    [
        (404, "There is nothing at this address", "Reload the page"),
        (429, "The service is busy", "Try again"),
        (500, "The service failed", "Try again"),
        (503, "The service could not be reached", "Try again"),
    ],
)
def test_an_empty_answer_of_the_host_is_said_in_words_with_a_way_out(
    browser: Browser, stack: LocalStack, status: int, says: str, offers: str
) -> None:
    with signed_in(browser, stack, demo.ADA) as page:
        answer(page, "**/api/consoles*", status)
        page.reload()
        alert = page.get_by_role("alert").filter(has_text=says)
        expect(alert.get_by_role("button", name=offers)).to_be_visible()
        assert page.get_by_text(says).count() == 1, "once, not twice"


def test_what_changes_at_a_console_is_heard(browser: Browser, stack: LocalStack, ada: SignedIn) -> None:
    free(ada, WEB_04)
    with signed_in(browser, stack, demo.ADA) as page:
        say = between(page)
        open_console(page, "web-04")
        connected(page)
        hears(page, "Connected")
        say({"type": "limit", "kind": "idle", "secondsLeft": 110})
        hears(page, "Ends within 2 minutes unless you type")
        say({"type": "warning", "code": "Novel", "message": "The disk is nearly full."})
        hears(page, "The disk is nearly full.")
        say({"type": "ask", "ask": "a1", "by": {"name": "Grace Hopper"}, "seconds": 20})
        hears(page, "Grace Hopper asks for the console")


def test_a_watcher_is_offered_nothing_that_types(browser: Browser, stack: LocalStack, ada: SignedIn) -> None:
    free(ada, WEB_01)
    with ada.open(WEB_01), signed_in(browser, stack, demo.GRACE) as page:
        watch(page, "web-01")
        expect(page.get_by_role("button", name="Set size in the guest")).to_be_disabled()
        expect(page.get_by_text("Press Enter if the screen stays empty")).to_be_hidden()
        expect(page.get_by_test_id("people")).to_be_empty()
