import pytest

from dev.functions_host.http_head import Refused
from dev.functions_host.request_target import target


@pytest.mark.parametrize(
    ("sent", "path", "told"),
    [
        ("/a%20b", "/a b", "/a%20b"),
        ("/a%2Fb%2f", "/a%2Fb%2f", "/a%2Fb%2f"),
        ("/a%2520b", "/a%20b", "/a%20b"),
        ("/%C3%A9%FF", "/é%FF", "/%C3%A9%FF"),
        ("/x/../y/%2e/%2E%2e/z", "/z", "/z"),
        ("/../..", "/", "/"),
        ("/a/..", "/", "/"),
        ("/a/b/.", "/a/b/", "/a/b/"),
        ("/100%/b%zz", "/100%/b%zz", "/100%25/b%25zz"),
        ("/a.b/c", "/a.b/c", "/a.b/c"),
        ("/a?x=../y", "/a", "/a?x=../y"),
    ],
)
def test_a_path_is_decoded_once_and_told_written_anew(sent: str, path: str, told: str) -> None:
    assert (target(sent).path, target(sent).told) == (path, told)


def test_a_nul_is_refused() -> None:
    with pytest.raises(Refused):
        target("/a%00b")


def test_query_fields_without_a_value_are_not_told() -> None:
    assert target("/a?force&mode=&x=1").query == {"x": "1"}


def test_repeated_query_fields_are_one_whatever_their_case() -> None:
    assert target("/a?Mode=watch&mode=write&x=&x=").query == {"Mode": "watch,write", "x": ","}


def test_the_query_is_decoded_but_for_what_is_no_code() -> None:
    assert target("/a?b+c=%20x+y%2F%C3%BC&d=%FF").query == {"b c": " x y/ü", "d": "%FF"}
