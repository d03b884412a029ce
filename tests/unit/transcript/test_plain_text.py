"""What a person reads of what was printed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.transcript.plain_text import plain, whole

PIECES = st.lists(
    st.sampled_from(
        [
            b"a",
            "é€😀".encode(),
            b"\x1b[31m",
            b"\x1b]0;title\x07",
            b"\x1bP1$r\x1b\\",
            b"\n",
            b"\r\n",
            b"\r",
            b"\b",
            b"\xff",
            b"\x1b(B",
        ]
    ),
    max_size=30,
).map(b"".join)


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        (b"login: ", "login: "),
        (b"one\r\ntwo\r\n", "one\ntwo\n"),
        (b"\x1b[1;31mred\x1b[0m \x1b[Kafter", "red after"),
        (b"\x1b]0;a title\x07$ \x1b]8;;http://x\x1b\\link", "$ link"),
        (b"\x1b(B\x1b7\x1b=x", "x"),
        (b" 10%\r 50%\r100%\n", "100%\n"),
        (b"a longer line\rshort", "shortger line"),
        (b"secrte\b\bet", "secret"),
        (b"\b\bx", "x"),
        (b"tab\there\x00\x07", "tab\there"),
        (b"\xff\xe2\x82\xac", "\ufffd€"),
        (b"\r", ""),
        (b"\x1b]no end\nnext", "\nnext"),
        (b"\x1b", ""),
    ],
)
def test_it_is_what_stood_there_at_the_end(printed: bytes, text: str) -> None:
    assert plain(printed) == text


@given(PIECES, PIECES)
def test_pieces_that_end_with_a_line_read_as_the_whole_does(one: bytes, two: bytes) -> None:
    assert plain(one + b"\n") + plain(two) == plain(one + b"\n" + two)


@pytest.mark.parametrize(
    ("printed", "count"),
    [
        (b"", 0),
        (b"whole", 5),
        (b"x\x1b", 1),
        (b"x\x1b[1;3", 1),
        (b"x\x1b[1m", 5),
        (b"x\x1b]0;tit", 1),
        (b"x\x1b]0;tit\x1b", 1),
        ("x€".encode()[:-1], 1),
        ("x€".encode(), 4),
        ("😀".encode()[:3], 0),
        (b"\x80\x80\x80\x80\x80", 5),
        (b"x\xff", 2),
        (b"\x1b[" + b"1" * 5000, 5002),
    ],
)
def test_what_only_begins_at_the_end_waits(printed: bytes, count: int) -> None:
    assert whole(printed) == count


@given(PIECES, st.integers(0, 40))
def test_what_waits_is_short_and_nothing_of_it_is_shown_before(printed: bytes, cut: int) -> None:
    count = whole(printed[:cut])
    assert count <= len(printed[:cut])
    assert b"\x1b" not in plain(printed[:count]).encode()
