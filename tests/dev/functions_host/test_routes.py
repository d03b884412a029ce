from typing import Any

import pytest

from dev.functions_host.routes import find, in_order, route


def match(path: str, *templates: str, method: str = "GET") -> Any:
    return find(in_order(route(template, None, template) for template in templates), method, path)


def test_a_literal_matches_in_any_case_and_with_a_trailing_slash() -> None:
    assert match("/API/Items/", "api/items") == ("api/items", {})


def test_a_parameter_takes_one_segment() -> None:
    assert match("/api/items/42", "api/items/{id}") == ("api/items/{id}", {"id": "42"})
    assert match("/api/items/42/more", "api/items/{id}") is None


def test_a_catch_all_takes_the_rest_even_if_there_is_none() -> None:
    assert match("/files/a/b", "files/{*rest}") == ("files/{*rest}", {"rest": "a/b"})
    assert match("/files", "files/{*rest}") == ("files/{*rest}", {})


def test_an_optional_parameter_may_be_missing_and_a_default_fills_in() -> None:
    assert match("/a", "a/{b?}") == ("a/{b?}", {})
    assert match("/a", "a/{b=7}") == ("a/{b=7}", {"b": "7"})
    assert match("/a/9", "a/{b=7}") == ("a/{b=7}", {"b": "9"})


def test_text_may_stand_around_parameters() -> None:
    assert match("/log.2024.txt", "{name}.{ext}") == ("{name}.{ext}", {"name": "log", "ext": "2024.txt"})


@pytest.mark.parametrize(
    ("constraint", "good", "bad"),
    [
        ("int", "-7", "x"),
        ("guid", "0a0c0000-0000-4000-8000-000000000001", "0a0c"),
        ("alpha", "aB", "a1"),
        ("bool", "True", "1"),
    ],
)
def test_a_constraint_admits_only_its_values(constraint: str, good: str, bad: str) -> None:
    template = f"a/{{id:{constraint}}}"
    assert match(f"/a/{good}", template) == (template, {"id": good})
    assert match(f"/a/{bad}", template) is None


def test_a_constraint_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        route("a/{id:colour}", None, None)


def test_the_more_literal_route_wins_whatever_the_order() -> None:
    templates = ("{a}/{b}", "items/{id}", "{*all}", "items/{id:int}", "items/new", "{a}/new")
    for order in (templates, templates[::-1]):
        assert [match(path, *order)[0] for path in ("/items/new", "/items/7", "/items/x", "/x/new", "/x/y", "/z")] == [
            "items/new",
            "items/{id:int}",
            "items/{id}",
            "{a}/new",
            "{a}/{b}",
            "{*all}",
        ]


def test_parameters_are_decoded_once_and_an_encoded_slash_stays() -> None:
    assert match("/a/x%20y%2525", "a/{id}") == ("a/{id}", {"id": "x y%25"})
    assert match("/a/x%2Fy", "a/{id}") == ("a/{id}", {"id": "x%2Fy"})


def test_methods_are_part_of_the_match() -> None:
    routes = [route("a", ["GET"], "reader"), route("a", ["post"], "writer")]
    assert find(routes, "POST", "/a") == ("writer", {})
    assert find(routes, "PUT", "/a") is None


def test_an_empty_prefix_and_template_are_the_root() -> None:
    assert match("/", "/") == ("/", {})
