"""A search finds each line once, wherever records are cut."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.transcript.search import LINE_BYTES, SHOWN, Hit, Search

LOG = b"boot ok\r\n\x1b[31mERROR\x1b[0m disk\r\nretry\r\nfine\r\nerror again\r\nlast errors"


def searched(pieces: list[bytes], query: str, context: int = 0, offset: int = 0) -> list[Hit]:
    search = Search(query, context, offset)
    for number, piece in enumerate(pieces):
        search.feed(piece, number)
    return list(search.finish())


def test_a_hit_has_its_lines_before_and_after_and_its_offset() -> None:
    one, two, three = searched([LOG], "Error", 1)
    assert (one.line, one.before, one.after, one.offset) == ("ERROR disk", ("boot ok",), ("retry",), 9)
    assert (two.line, two.before, two.after) == ("error again", ("fine",), ("last errors",))
    assert (three.line, three.after) == ("last errors", ())
    assert LOG[two.offset :].startswith(b"error again")


@given(st.lists(st.integers(0, len(LOG)), max_size=6), st.integers(0, 3))
def test_what_is_found_does_not_depend_on_where_records_are_cut(cuts: list[int], context: int) -> None:
    places = [0, *sorted(cuts), len(LOG)]
    pieces = [LOG[one:two] for one, two in pairwise(places)]
    untimed = [(hit.offset, hit.line, hit.before, hit.after) for hit in searched(pieces, "error", context)]
    assert untimed == [(hit.offset, hit.line, hit.before, hit.after) for hit in searched([LOG], "error", context)]


@given(st.integers(1, 3), st.integers(0, 2))
def test_a_search_in_pieces_finds_what_one_finds(limit: int, context: int) -> None:
    offset, found = 0, list[int]()
    while True:
        search = Search("error", context, offset)
        search.feed(LOG[offset:], 0)
        if len(search.hits) < limit:
            found += [hit.offset for hit in search.finish()]
            break
        hits, offset = search.stop(limit)
        found += [hit.offset for hit in hits]
    assert found == [hit.offset for hit in searched([LOG], "error")]


def test_a_line_without_end_is_searched_in_pieces_and_shown_in_part() -> None:
    (hit,) = searched([b"x" * 10 * LINE_BYTES + b"needle" + b"y" * 5000], "NEEDLE")
    assert hit.offset == 10 * LINE_BYTES
    assert len(hit.line) == SHOWN
    assert "needle" in hit.line


def test_a_line_has_the_time_of_its_beginning() -> None:
    (hit,) = searched([b"one\n", b"tw", b"o\n"], "two")
    assert hit.time_us == 1
