"""Recordings in a real browser: the list, the player, search that jumps, download, the verdict."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dev import demo
from tests.e2e.local_stack import LocalStack, recorded_as, until
from tests.e2e.person import SignedIn
from tests.e2e.test_page import signed_in
from tests.e2e.test_transcript import keep

WEB_01 = demo.VIRTUAL_MACHINES[0]
WORDS = "the needle of this visit"


@pytest.fixture
def visit(stack: LocalStack, ada: SignedIn) -> str:
    """A visit that is archived; the recording that it is in."""
    with ada.open(WEB_01) as console:
        console.log_in()
        console.run(f"echo {WORDS}")
    until(lambda: recorded_as(ada.transcript(WEB_01), stack.printed(WEB_01)), "all is archived")
    keep(stack)
    recordings = ada.get(f"{WEB_01.id}/serialConsole/recordings").json()["value"]
    return str(recordings[-1]["id"])


def seconds(page: Page) -> tuple[int, int]:
    """Where the player stands, and how long the recording is."""
    at, total = (page.get_by_test_id("player-time").text_content() or "").split(" / ")
    return _seconds(at), _seconds(total)


def _seconds(clock: str) -> int:
    minutes, rest = clock.rsplit(":", 1)
    return 60 * int(minutes.split(":")[-1]) + int(rest)


@pytest.mark.qemu
def test_a_visit_is_found_played_searched_and_verified_in_the_page(
    browser: Browser, stack: LocalStack, ada: SignedIn, visit: str, pictures: Path
) -> None:
    with signed_in(browser, stack, demo.ADA) as page:
        page.get_by_role("link", name=f"Recordings of {WEB_01.name}").click()
        recording = page.locator(f'[data-testid="recording"][data-id="{visit}"]')
        expect(recording).to_contain_text("Ada Lovelace")
        page.get_by_test_id("verify").click()
        expect(page.get_by_test_id("verdict")).to_contain_text("Complete:")
        expect(page.get_by_test_id("verdict")).to_contain_text("signed that it reached")
        page.get_by_test_id("find").fill("NEEDLE of this")
        page.keyboard.press("Enter")
        hits = page.get_by_test_id("hit")
        expect(hits.last).to_be_visible()
        page.screenshot(path=pictures / "recordings.png")
        hits.last.click()
        expect(page.get_by_test_id("player-terminal")).to_contain_text("needle of this")
        page.screenshot(path=pictures / "player.png")
        with page.expect_download() as download:
            page.get_by_test_id("download-raw").click()
        content = Path(download.value.path()).read_bytes()
        assert content == ada.get(f"{WEB_01.id}/serialConsole/transcript", recording=visit, limit=4 << 20).content
        assert WORDS.encode() in content


@pytest.mark.qemu
def test_the_player_plays_pauses_and_seeks_by_keyboard(
    browser: Browser, stack: LocalStack, visit: str, pictures: Path
) -> None:
    with signed_in(browser, stack, demo.ADA) as page:
        page.goto(f"{stack.address}/#/recordings{WEB_01.id}?id={visit}")
        play = page.get_by_test_id("player-play")
        expect(play).to_have_text("Pause")  # it begins by itself
        slider = page.get_by_test_id("player-slider").bounding_box()
        terminal = page.get_by_test_id("player-terminal").bounding_box()
        assert slider
        assert terminal
        assert slider["y"] > terminal["y"] + terminal["height"] - 1, "the controls are below the terminal"
        page.locator(".xterm-helper-textarea").focus()
        page.keyboard.press("Tab")
        expect(play).to_be_focused()
        page.get_by_test_id("player-slider").focus()
        page.keyboard.press("End")
        expect(play).to_have_text("Play")
        expect(page.get_by_test_id("player-terminal")).to_contain_text(WORDS)
        at, total = seconds(page)
        assert at == total
        page.keyboard.press("Home")
        assert seconds(page)[0] == 0
        page.keyboard.press("ArrowRight")
        assert seconds(page)[0] == min(5, total)
        page.keyboard.press("+")
        expect(page.get_by_test_id("player-speed")).to_have_value("2")
        page.keyboard.press(" ")
        expect(play).to_have_text("Pause")
        page.set_viewport_size({"width": 420, "height": 800})
        page.screenshot(path=pictures / "player-narrow.png")


def test_a_recording_that_is_not_there_says_so(browser: Browser, stack: LocalStack) -> None:
    with signed_in(browser, stack, demo.ADA) as page:
        page.goto(f"{stack.address}/#/recordings{WEB_01.id}?id=0000000000000000-00000000")
        expect(page.get_by_role("alert")).to_contain_text("not there")


def test_a_list_that_grows_leaves_who_stands_on_it_where_they_are(browser: Browser, stack: LocalStack) -> None:
    with signed_in(browser, stack, demo.ADA) as page:
        page.goto(f"{stack.address}/")
        found = page.evaluate(
            """async () => {
                const { arrange, h } = await import("/ui/dom.js");
                const rows = Object.fromEntries(["a", "b", "c", "d"].map((name) => [name, h("button", {}, name)]));
                const list = document.body.appendChild(h("ul"));
                const moved = [];
                const step = (names) => {
                    arrange(list, [...names].map((name) => rows[name]));
                    moved.push(list.textContent, document.activeElement.textContent);
                };
                step("bd");
                rows.d.focus();
                moved.length = 0;
                for (const names of ["abcd", "abd", "cd"]) step(names);
                return moved;
            }"""
        )
    assert found == ["abcd", "d", "abd", "d", "cd", "d"]
