"""The sign-in page: pick a demo person. Also the pages for a refusal and a goodbye. No script is needed to use them."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template

from starlette.responses import HTMLResponse

from dev.demo import PEOPLE, Person

FOLDER = Path(__file__).parent / "page"
_FRAME = Template((FOLDER / "frame.html").read_text("utf-8"))
_CHOOSE = Template((FOLDER / "choose.html").read_text("utf-8"))
_PERSON = Template((FOLDER / "person.html").read_text("utf-8"))
_STEP_UP = Template((FOLDER / "step_up.html").read_text("utf-8"))

_HEADERS = {
    # A form's redirect counts as its target in Chromium, so the page it goes back to has to be named.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self' http://localhost:* http://127.0.0.1:*",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def choose(tenant: str, asked: Mapping[str, str], suggested: Person | None) -> HTMLResponse:
    """Offer the demo people; the form carries the request along, to be checked again when it comes back."""
    first = suggested or PEOPLE[0]
    people = "\n".join(_person(person, number, person is first) for number, person in enumerate(PEOPLE, start=1))
    body = _CHOOSE.substitute(tenant=escape(tenant), kept=_kept(asked), people=people)
    return _page("Sign in", body)


def step_up(tenant: str, asked: Mapping[str, str], person: Person) -> HTMLResponse:
    """Ask for a second factor: one press of a button stands for the phone."""
    body = _STEP_UP.substitute(
        tenant=escape(tenant), kept=_kept(asked), name=escape(person.name), oid=escape(person.oid)
    )
    return _page("Approve the sign-in", body)


def refused(sentence: str, status: int) -> HTMLResponse:
    body = f'<h1>Sign-in is not possible</h1>\n<p role="alert" class="refusal">{escape(sentence)}</p>'
    return _page("Sign-in is not possible", body, status)


def goodbye() -> HTMLResponse:
    return _page("Signed out", "<h1>You are signed out</h1>\n<p>You can close this window.</p>")


def _kept(asked: Mapping[str, str]) -> str:
    """Carry the request along, to be checked again when it comes back."""
    fields = (f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in asked.items())
    return "\n".join(fields)


def _person(person: Person, number: int, first: bool) -> str:  # noqa: FBT001 - a template's blank, passed right above
    return _PERSON.substitute(
        oid=escape(person.oid),
        initials=escape("".join(word[0] for word in person.name.split()[:2])),
        name=escape(person.name),
        email=escape(person.email),
        about=escape(person.about),
        number=number,
        autofocus="autofocus" if first else "",
    )


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_FRAME.substitute(title=escape(title), body=body), status, _HEADERS)
