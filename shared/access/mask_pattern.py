"""A pattern of what must not be kept: whether it can be followed through a stream, and where it fits, or may yet.

The `regex` library does what `re` cannot: it tells the beginning of a match, finds the longest, and gives up in time.
"""

from collections.abc import Iterator

import regex

PATTERN_CHARACTERS = 256
LOOKS_BEHIND = PATTERN_CHARACTERS
"""Bytes that a look-behind sees at most: it repeats nothing, so each takes a character of the pattern."""
_SECONDS = 0.05

_STRANGE = regex.compile(
    r"""(?x) (?<!\\)(?:\\\\)*+ (?:
        \( \? (?! : | [ims]++[:)] | <= | <! )   # looks ahead, names, recurses, turns round, depends
      | \( \*                                   # backtracking verbs
      | \\ [AZzGKL]                             # the ends of a text that has none
      | \{ (?: \d+ \s* < | [\d+\s]* [eids] \s* [<},+:] )  # fits what is only like it
    )"""
)
_CLASS = r"\[ \^? \]? (?: \\. | \[:\^?\w+:\] | [^\]\\] )*+ \]"
_TOKEN = regex.compile(
    rf"""(?xs)
        (?P<behind> \( \? <[=!] (?P<within> (?: \\. | {_CLASS} | [^()\\\[] | \( (?&within) \) )*+ ) \) )
      | (?P<edge> \\[bBmM] )
      | (?P<flags> \( \? [ims]+ \) )
      | (?P<opens> \( (?: \? [ims]* : )? )
      | (?P<closes> \) )
      | (?P<or> \| )
      | (?P<repeat> (?P<times> [*+?] | \{{ \d* ,? \d* \}} ) (?P<manner> [+?]? ) )
      | \\. | {_CLASS} | .
    """
)


class InvalidPattern(ValueError):
    """A pattern that is not taken; the text says why."""


def check_pattern(text: str) -> None:
    """Raises InvalidPattern."""
    if not text or len(text) > PATTERN_CHARACTERS:
        raise InvalidPattern(f"it has 1 to {PATTERN_CHARACTERS} characters")
    if not text.isascii() or not text.isprintable():
        raise InvalidPattern(r"it is matched with bytes: write others than ASCII's printable ones as \xNN")
    if _STRANGE.search(text):
        raise InvalidPattern(
            "it takes plain groups, (?i), (?m), (?s), (?<=...) and (?<!...), and not the ends of the text"
        )
    if any(token["repeat"] or token["opens"] == "(" for token in _behinds(text)):
        raise InvalidPattern("in (?<=...) and (?<!...) it repeats nothing, and groups by (?:...)")
    try:
        finds_nothing = Finder(text).whole.search(b"", timeout=_SECONDS) is not None
    except regex.error as error:
        raise InvalidPattern(f"it cannot be read: {error}") from error
    if finds_nothing:
        raise InvalidPattern("it must not fit the empty text")


def _behinds(text: str) -> Iterator[regex.Match[str]]:
    """What there is in the look-behinds of a pattern."""
    for token in _TOKEN.finditer(text):
        if token["behind"] is not None:
            yield from _TOKEN.finditer(token["within"])
            yield from _behinds(token["within"])


def _loosened(text: str) -> str:
    """Fits all that `text` fits, and depends on no byte that is not there yet.

    A look-behind or the edge of a word says nothing true where the bytes end. Only at a pattern's beginning it does:
    the byte behind it is there, or nothing of a match is. And a repeat that gives nothing back would now take too much.
    """
    parts, depth, begins = [], 0, True
    for token in _TOKEN.finditer(text):
        if token["behind"] or token["edge"]:
            parts.append(token[0] if begins else "(?:)")
            continue
        parts.append(token["times"] or token[0])
        depth += bool(token["opens"]) - bool(token["closes"])
        if token["or"]:
            begins = not depth
        elif not token["flags"] and not token["repeat"]:
            begins = False
    return "".join(parts)


class Finder:
    """Of one pattern that check_pattern takes. A search gives up after `seconds`."""

    __slots__ = ("_begun", "whole")

    def __init__(self, text: str) -> None:
        self.whole = regex.compile(b"(?:%b)" % text.encode("ascii"), regex.MULTILINE | regex.POSIX)
        # It wants one byte more, of a kind that there is not: so it never fits, and may at best begin to.
        self._begun = regex.compile(b"(?:%b)[^\\x00-\\xff]" % _loosened(text).encode("ascii"), regex.MULTILINE)

    def fits(self, text: bytes, at: int, seconds: float) -> tuple[int, int] | None:
        """The first stretch from `at` on, the longest there; none is empty. Raises TimeoutError."""
        while at < len(text) and (match := self.whole.search(text, at, timeout=seconds)) is not None:
            if match.start() < match.end():
                return match.span()
            at = match.end() + 1
        return None

    def begun(self, text: bytes, at: int, seconds: float) -> int:
        """From where on the end of the text may be the beginning of a stretch; its length, if it is not."""
        match = self._begun.search(text, at, partial=True, timeout=seconds)
        return match.start() if match else len(text)
