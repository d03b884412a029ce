"""Our router beside the real host's, over templates and addresses that are made up."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dev.functions_host.routes import Route, find, in_order, route
from tests.dev.functions_host.real_router import RealRouter, real_router
from tests.host_parts import needs_host_parts

pytestmark = needs_host_parts

TEMPLATES = (
    "rest/{*rest}", "rest-of/{*n:int}", "rest-else/{*rest=x/y}", "v{a}", "{a}v", "o/{a?}/{b?}", "f/{a}.{b?}",
    "dc/{a:int=five}", "m/{a=1}/x", "tr/{a}/", "len/{a:length(2,3)}", "len/{a:minlength(4)}/long", "q/{a:required}",
    "rx/{a:regex(^\\d{{2}}(a|b)$)}", "g/{id:guid}", "g/{name}", "i/{n:int}",
    "i/{n:long}/long", "r/{n:range(1,5)}",
    "two/{a}-{b}.{c}", "al/{a:alpha?}", "file/{a:file}", "file/{a:nonfile}", "bo/{a:bool}", "s/{a}.json",
    "lit/word", "lit/{x}", "{all}/{of}/{it}", "",
    "rx/{a:regex([a-z]/?)}/{b}", "both/{a:int:max(7)}", "x{a}y{b}z", "st/{x:regex(^(write|watch)$)}",
)  # fmt: skip
METHODS: tuple[list[str] | None, ...] = (["GET"], ["GET", "post"], None, ["Delete"])
FUNCTIONS: list[dict[str, Any]] = [
    # Names that turn the order of the templates around, in both cases.
    {
        "name": ("f" if at % 2 else "F") + f"{(at * 7) % len(TEMPLATES):02}",
        "route": template,
        "methods": METHODS[at % 7 % 4],
    }
    for at, template in enumerate(TEMPLATES)
]
WORDS = tuple({word for template in TEMPLATES for word in template.replace("{", "/").replace("}", "/").split("/")})
SEGMENTS = st.one_of(
    st.sampled_from([word for word in WORDS if word]),
    st.sampled_from([word.upper() for word in WORDS if word]),
    st.sampled_from(
        ["12", "+12", " 12 ", "99999999999", "-1", "12a", "abc", "true", "FALSE ", "a.json", "A.JSON", "v1", "vv1"],
    ),
    st.sampled_from(["0" * 32, "{00000000-0000-0000-0000-00000000000A}", "(00000000-0000-0000-0000-00000000000a)"]),
    st.text("abvxyz019-.{}+ é\n%", max_size=6),
    st.just(""),
)  # fmt: skip
PARAMETER = re.compile(r"\{(?:[^{}]|\{\{|\}\})*\}")


@st.composite
def filled(draw: st.DrawFn) -> str:
    """One of the templates with something in the place of each parameter."""
    template = draw(st.sampled_from(TEMPLATES))
    return PARAMETER.sub(lambda _: draw(SEGMENTS), template) + draw(st.sampled_from(["", "", "/", "//", "/x"]))


PATHS = (filled() | st.lists(SEGMENTS, max_size=5).map("/".join)).map("/api/".__add__)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRouter]:
    with real_router(tmp_path_factory.mktemp("router"), FUNCTIONS) as router:
        yield router


@pytest.fixture(scope="module")
def ours() -> list[Route[str]]:
    return in_order(route(f["name"], f"api/{f['route']}", f["methods"], f["name"]) for f in FUNCTIONS)


@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS, method=st.sampled_from(["GET", "POST", "DELETE", "get", "BREW"]))
@example(path="/api/vv1", method="GET")
@example(path="/api/rest/a//b/", method="GET")
@example(path="/api/rest//a", method="GET")
@example(path="/api", method="GET")
@example(path="/API/g/" + "0" * 32, method="GET")
@example(path="//api/lit/word", method="GET")
@example(path="/api/file/.0.", method="GET")
@example(path="/api/file/a..", method="GET")
@example(path="/api/two/.-a.", method="GET")
def test_our_router_takes_what_the_real_one_takes(
    real: RealRouter, ours: list[Route[str]], path: str, method: str
) -> None:
    assert find(ours, method, path) == real.find(method, path)
