from typing import Any

import pytest

from dev.functions_host.route_constraints import UnknownConstraint
from dev.functions_host.route_template import BadTemplate, parse
from dev.functions_host.routes import find, in_order, route


def match(path: str, *templates: str, method: str = "GET") -> Any:
    return find(in_order(route(f"f{at}", text, None, text) for at, text in enumerate(templates)), method, path)


def test_a_literal_matches_in_any_case_and_with_a_trailing_slash() -> None:
    assert match("/API/Items/", "api/items") == ("api/items", {})


def test_a_double_slash_is_no_slash() -> None:
    assert match("/api//items", "api/items") is None
    assert match("/api/items//", "api/items") is None
    assert match("//api/items", "api/items") is None


def test_a_parameter_takes_one_segment() -> None:
    assert match("/api/items/42", "api/items/{id}") == ("api/items/{id}", {"id": "42"})
    assert match("/api/items/42/more", "api/items/{id}") is None
    assert match("/api/items", "api/items/{id}") is None


def test_a_catch_all_takes_the_rest_even_if_there_is_none() -> None:
    assert match("/files/a//b/", "files/{*rest}") == ("files/{*rest}", {"rest": "a//b/"})
    assert match("/files", "files/{*rest}") == ("files/{*rest}", {})
    assert match("/files//a", "files/{*rest}") is None


def test_an_optional_parameter_may_be_missing_and_a_default_fills_in() -> None:
    assert match("/a", "a/{b?}") == ("a/{b?}", {})
    assert match("/a", "a/{b=7}") == ("a/{b=7}", {"b": "7"})
    assert match("/a/9", "a/{b=7}") == ("a/{b=7}", {"b": "9"})
    assert match("/a", "a/{b:int=x}") is None


def test_text_may_stand_around_parameters() -> None:
    assert match("/log.2024.txt", "{name}.{ext}") == ("{name}.{ext}", {"name": "log.2024", "ext": "txt"})
    assert match("/log", "{name}.{ext?}") == ("{name}.{ext?}", {"name": "log"})
    assert match("/log.", "{name}.{ext?}") is None
    assert match("/name.JSON", "{a}.json") == ("{a}.json", {"a": "name"})


def test_text_before_a_parameter_is_looked_for_once_from_the_right() -> None:
    assert match("/v1", "v{a}") == ("v{a}", {"a": "1"})
    assert match("/vv1", "v{a}") is None


@pytest.mark.parametrize(
    ("constraint", "good", "bad"),
    [
        ("int", "-7", "x"),
        ("int", " +7 ", "99999999999"),
        ("guid", "0a0c0000-0000-4000-8000-000000000001", "0a0c"),
        ("guid", "0a0c0000000040008000000000000001", "(0a0c0000-0000-4000-8000-000000000001"),
        ("alpha", "aB", "a1"),
        ("bool", "True", "1"),
        ("length(2)", "ab", "abc"),
        ("range(1,5)", "5", "6"),
        ("regex(^(write|watch)$)", "WATCH", "watchers"),
        ("regex(^\\d{{2}}$)", "12", "123"),
        ("int:max(7)", "7", "8"),
    ],
)
def test_a_constraint_admits_only_its_values(constraint: str, good: str, bad: str) -> None:
    template = f"a/{{id:{constraint}}}"
    assert match(f"/a/{good}", template) == (template, {"id": good})
    assert match(f"/a/{bad}", template) is None


@pytest.mark.parametrize("constraint", ["colour", "regex([)", "length(x)", "int(3)"])
def test_a_constraint_nobody_knows_is_refused(constraint: str) -> None:
    with pytest.raises(UnknownConstraint, match="not known here"):
        parse(f"a/{{id:{constraint}}}")


@pytest.mark.parametrize("template", ["a/{b", "a}/b", "{*rest}/b", "a/{}"])
def test_a_template_that_is_none_is_refused(template: str) -> None:
    with pytest.raises(BadTemplate):
        parse(template)


def test_functions_are_asked_in_the_order_of_their_names_and_a_literal_does_not_go_first() -> None:
    routes = [route("z_literal", "lit/word", ["GET"], "z_literal"), route("A_param", "lit/{x}", ["GET"], "A_param")]
    assert find(in_order(routes), "GET", "/lit/word") == ("A_param", {"x": "word"})


def test_methods_are_part_of_the_match() -> None:
    routes = [route("a", "a", ["GET"], "reader"), route("b", "a", ["post"], "writer")]
    assert find(routes, "POST", "/a") == ("writer", {})
    assert find(routes, "PUT", "/a") is None


def test_who_names_no_method_takes_every_one() -> None:
    assert match("/a", "a", method="BREW") == ("a", {})


def test_an_empty_prefix_and_template_are_the_root() -> None:
    assert match("/", "/") == ("/", {})
