"""Masks: nothing that a pattern finds in the whole stream is kept, whatever pieces it came in."""

import hashlib
import hmac
from itertools import pairwise

import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.access.mask_pattern import InvalidPattern, check_pattern
from shared.console import masking
from shared.console.masking import HELD_SECONDS, LONGEST, UNSURE, Masked, Masker

KEY = b"key"
PATTERNS = (
    r"Bearer \S+",
    r"\d{4}",
    "ab|abcdef",
    "aba",
    r"(?<=pw: )\w+",
    r"(?i)secret",
    r"a.*?b",
    r"^b+$",
    r"[ab]{3,}c",
    r"(?s)<.*>",
    r"a\b",
    r"Bearer \b[\w.-]+\b",
    r"(?i)pass(?:word)?[:=]\s?\b\S+",
    r"\w+?(?<=e)",
    r"(?<=pw: )\w*",
    r"\b\d*",
    r"\ba|\Bb",
    r"(?:\bab?)+",
)


def fed(masker: Masker, pieces: list[bytes], *, end: bool = True) -> Masked:
    given_out = [masker.feed(piece, 0.0) for piece in pieces]
    if end:
        given_out.append(masker.flush())
    recordable = b"".join(each.recordable for each in given_out)
    return Masked(b"".join(each.shown for each in given_out), recordable)


def found(pattern: str, text: bytes) -> list[tuple[int, int]]:
    """What the pattern finds in the whole."""
    compiled = regex.compile(b"(?:%b)" % pattern.encode(), regex.MULTILINE | regex.POSIX)
    spans, at = [], 0
    while at < len(text) and (match := compiled.search(text, at)) is not None:
        spans += [match.span()] if match.end() > match.start() else []
        at = match.end() + (match.end() == match.start())
    return spans


def cut(text: bytes, places: list[int]) -> list[bytes]:
    ends = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[one:two] for one, two in pairwise(ends)]


@settings(max_examples=400, deadline=None)
@given(
    patterns=st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3),
    text=st.text("ab cdef12<>\n pw:Bearsct", max_size=80).map(str.encode),
    places=st.lists(st.integers(0, 200), max_size=8),
)
def test_all_that_is_found_in_the_whole_is_masked_however_it_is_cut(
    patterns: list[str], text: bytes, places: list[int]
) -> None:
    masked = fed(Masker(patterns, KEY), cut(text, places))
    assert masked.shown == text
    assert len(masked.recordable) == len(text)
    for pattern in patterns:
        for start, end in found(pattern, text):
            assert masked.recordable[start:end] == b"*" * (end - start), (pattern, text, masked.recordable)


def taken(pattern: str) -> bool:
    try:
        check_pattern(pattern)
    except InvalidPattern:
        return False
    return True


ATOMS = (
    *("a", "b", "c", r"\d", "[ab]", "[^a]", ".", r"\w", r"\s", r"\n", "-"),
    *(r"\b", r"\B", "^", "$", "(?<=a)", "(?<!b)", r"(?<=\bc)", r"(?<!a(?:b|\s))"),
    *("(?:ab|a)", "(?:a|ab)", "(?:abc|b)", "(?:a|b|)", r"(?:\bab|c)", "(?:(?<=a)b|c)", "|", "(?i:B)"),
)
REPEATS = ("", "", "", "", "*", "+", "?", "{2}", "{1,3}", "*?", "+?", "{2,}", "*+", "++")
ANY_PATTERN = st.lists(
    st.tuples(st.sampled_from(ATOMS), st.sampled_from(REPEATS)).map("".join), min_size=1, max_size=5
).map("".join)


@settings(max_examples=400, deadline=None)
@given(
    pattern=ANY_PATTERN,
    text=st.text("aabbcc1 \r\n-A", max_size=24).map(str.encode),
    places=st.lists(st.integers(0, 30), max_size=12),
)
def test_whatever_pattern_is_taken_nothing_that_it_finds_is_kept(pattern: str, text: bytes, places: list[int]) -> None:
    assume(taken(pattern))
    text += b"\n\n"
    recordable = fed(Masker([pattern], KEY), cut(text, places)).recordable
    for start, end in found(pattern, text):
        assert recordable[start:end] == b"*" * (end - start), (pattern, text, recordable)


@settings(max_examples=200, deadline=None)
@given(
    pattern=st.sampled_from(PATTERNS),
    text=st.text("ab cdef12<>\n pw:Bearsct", max_size=80).map(str.encode),
    places=st.lists(st.integers(0, 200), max_size=8),
)
def test_what_is_settled_is_masked_the_same_however_it_is_cut(pattern: str, text: bytes, places: list[int]) -> None:
    in_pieces = fed(Masker([pattern], KEY), cut(text, places), end=False)
    whole = fed(Masker([pattern], KEY), [text], end=False)
    assert in_pieces == whole


def test_a_secret_that_arrives_byte_by_byte_is_masked_and_what_surrounds_it_is_kept() -> None:
    text = b"curl -H 'Authorization: Bearer eyJhbGciOi' now\r\n"
    masked = fed(Masker([r"Bearer \S+"], KEY), [text[at : at + 1] for at in range(len(text))])
    assert masked.recordable == b"curl -H 'Authorization: " + b"*" * 18 + b" now\r\n"


def test_a_masked_stretch_keeps_its_length_and_a_digest_that_who_has_the_key_can_try() -> None:
    masked = Masker([r"x", r"\d{4}"], KEY).feed(b"pin 1234 ok\n", 0)
    span = masked.spans[0]
    assert (span.offset, span.length, span.pattern) == (4, 4, 1)
    assert span.digest == hmac.digest(KEY, b"1234", hashlib.sha256)[:16].hex()
    assert masked.recordable == b"pin **** ok\n"
    assert masked.shown == b"pin 1234 ok\n"


def test_without_patterns_nothing_is_held_back() -> None:
    masker = Masker([r"\d{4}"], KEY)
    assert masker.feed(b"login: ", 0).shown == b"login: "
    assert masker.due is None


def test_what_may_become_a_secret_is_held_for_a_moment_and_then_kept_masked() -> None:
    masker = Masker([r"\d{4}"], KEY)
    assert masker.feed(b"pin 12", 7.0).shown == b"pin "
    assert due(masker) == 7.0 + HELD_SECONDS
    assert masker.flush() == Masked(b"12", b"**", masker_spans(b"12"))
    assert due(masker) is None
    assert masker.feed(b"34\n", 8.0).recordable == b"**\n"


def due(masker: Masker) -> float | None:
    return masker.due


def masker_spans(secret: bytes) -> tuple[masking.Span, ...]:
    return (masking.Span(0, len(secret), 0, hmac.digest(KEY, secret, hashlib.sha256)[:16].hex()),)


def test_a_trickle_does_not_hold_back_for_ever() -> None:
    masker = Masker([r"\d{4}x"], KEY)
    masker.feed(b"1", 0.0)
    assert masker.feed(b"2", HELD_SECONDS).shown == b"12"


def test_a_stretch_beyond_the_bound_is_masked_to_the_end_of_its_line() -> None:
    masker = Masker([r"eyJ\w+"], KEY)
    token = b"eyJ" + b"a" * (3 * LONGEST)
    masked = fed(masker, [token[:5000], token[5000:], b"+still", b" more\rfree\n"])
    assert masked.recordable == b"*" * (len(token) + 11) + b"\rfree\n"


def test_a_search_that_takes_too_long_masks_what_it_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "SEARCH_SECONDS", 0.001)
    masked = Masker([r"(a|aa|aaa|aaaa)+(b|c)*d"], KEY).feed(b"a" * 4000 + b"x\nfree\n", 0)
    assert masked.recordable[:4000] == b"*" * 4000
    assert masked.spans[0].pattern == UNSURE


def test_a_large_piece_is_looked_through_in_parts() -> None:
    text = b"x" * 4090 + b" 1234 " + b"y" * 9000 + b" 99 "
    masked = fed(Masker([r"\d{4}"], KEY), [text])
    assert masked.recordable == text.replace(b"1234", b"****")


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "1 to 256"), ("x" * 257, "1 to 256"), ("ä", "ASCII"), ("a\n", "ASCII"), ("a*", "empty text"),
        ("(", "cannot be read"), ("(?=x)x", "plain groups"), ("(?R)x", "plain groups"), (r"x\Z", "plain groups"),
        ("x{e<2}", "plain groups"), ("(?r)x", "plain groups"), ("(*FAIL)x", "plain groups"),
        (r"(?<=key: *)\w+", "repeats nothing"), (r"(?<=k.{300})x", "repeats nothing"),
        (r"(?<!(a))x", "repeats nothing"), (r"(?<=a(?:b|(?<=c+)d))x", "repeats nothing"),
    ],
)  # fmt: skip
def test_patterns_that_cannot_be_followed_through_a_stream_are_not_taken(pattern: str, words: str) -> None:
    with pytest.raises(InvalidPattern, match=words):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", [*PATTERNS, r"\(\?=x", r"\\\d+", r"(?<!x)y{2,4}", r"\x00\xff"])
def test_plain_patterns_are_taken(pattern: str) -> None:
    check_pattern(pattern)


def test_stretches_of_several_patterns_that_overlap_are_masked_as_one() -> None:
    masked = Masker([r"ab.d\b", r"cd e"], KEY).feed(b"x abcd ef\n", 0)
    assert masked.recordable == b"x ******f\n"
    assert [(span.offset, span.length) for span in masked.spans] == [(2, 6)]


def test_a_stretch_that_is_found_when_all_of_it_was_given_out_masks_nothing_more() -> None:
    masker = Masker([r"\d+x?"], KEY)
    assert masker.feed(b"12", 0.0).recordable == b""
    assert masker.flush().recordable == b"**"
    assert masker.feed(b" ok\n", 1.0) == Masked(b" ok\n", b" ok\n")


def test_other_patterns_go_on_where_the_stream_is() -> None:
    before = Masker([r"password=\S+"], KEY)
    before.feed(b"$ password=hun", 0.0)
    before.flush()
    after = Masker([r"\d{4}", r"word=\S+"], KEY, before.tail)
    assert fed(after, [b"ter2 1234\n"]).recordable == b"**** ****\n"


def test_what_is_masked_to_the_end_of_its_line_is_so_for_other_patterns_too() -> None:
    before = Masker([r"eyJ\w+"], KEY)
    before.feed(b"eyJ" + b"a" * LONGEST, 0.0)
    before.flush()
    assert fed(Masker([r"\d{4}"], KEY, before.tail), [b"b.c\nfree\n"]).recordable == b"***\nfree\n"
