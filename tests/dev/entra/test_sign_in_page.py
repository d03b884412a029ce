import httpx

from dev.demo import PEOPLE
from tests.dev.entra.browser import OAUTH, asked, hidden_fields


async def test_the_page_offers_everybody_and_says_that_it_is_a_stand_in(page: httpx.AsyncClient) -> None:
    shown = await page.get(f"{OAUTH}/authorize", params=asked())
    for person in PEOPLE:
        assert person.name in shown.text
        assert person.email in shown.text
        assert person.about in shown.text
    assert "Local stand-in for Microsoft Entra ID" in shown.text
    assert "http://" not in shown.text.replace(hidden_fields(shown.text)["redirect_uri"], ""), "no outside assets"


async def test_a_hint_puts_the_focus_on_that_person(page: httpx.AsyncClient) -> None:
    shown = await page.get(f"{OAUTH}/authorize", params=asked(login_hint="alan@contoso.example"))
    focused = [line for line in shown.text.splitlines() if "autofocus" in line]
    assert len(focused) == 1
    assert PEOPLE[2].oid in focused[0]


async def test_what_the_request_carries_cannot_become_markup(page: httpx.AsyncClient) -> None:
    hostile = '"><script>alert(1)</script>'
    shown = await page.get(f"{OAUTH}/authorize", params=asked(state=hostile, login_hint=hostile))
    assert "<script>alert" not in shown.text
    assert hidden_fields(shown.text)["state"] == hostile
    assert "default-src 'none'" in shown.headers["content-security-policy"]


async def test_its_assets_are_served_and_nothing_beside_them(page: httpx.AsyncClient) -> None:
    for name in ("sign-in.css", "sign-in.js", "icon.svg"):
        assert (await page.get(f"/assets/{name}")).status_code == 200
    assert (await page.get("/assets/..%2fframe.html")).status_code == 404
