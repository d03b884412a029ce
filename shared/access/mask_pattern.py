"""Checks patterns of bytes that must not be recorded, and finds their matches in a stream.

The `regex` library can do what `re` cannot: find a partial match at the end, find the longest match, and time out.
"""

from collections.abc import Iterator

import regex

PATTERN_CHARACTERS = 256
LOOKS_BEHIND = PATTERN_CHARACTERS
"""Bytes that a look-behind can read. It has no repeats, so each byte takes a character of the pattern."""
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
    """A pattern that is not accepted. The text says why."""


def check_pattern(text: str) -> None:
    """Raises InvalidPattern if a mask cannot use the pattern."""
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
    """Yields the tokens in the look-behinds of a pattern."""
    for token in _TOKEN.finditer(text):
        if token["behind"] is not None:
            yield from _TOKEN.finditer(token["within"])
            yield from _behinds(token["within"])


def _loosened(text: str) -> str:
    """Returns a pattern that matches everything that `text` matches, and depends on no byte that has not arrived.

    At the end of the bytes, a look-behind or a word boundary cannot be decided. It is kept only at the beginning of a
    pattern: there the byte before the match is known. Possessive repeats are made greedy, as they would take too much.
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
    """Finds matches of one pattern that check_pattern accepts. A search gives up after `seconds`."""

    __slots__ = ("_begun", "whole")

    def __init__(self, text: str) -> None:
        self.whole = regex.compile(b"(?:%b)" % text.encode("ascii"), regex.MULTILINE | regex.POSIX)
        # It demands one more byte, of a kind that does not exist: so it never matches completely, only partially.
        self._begun = regex.compile(b"(?:%b)[^\\x00-\\xff]" % _loosened(text).encode("ascii"), regex.MULTILINE)

    def fits(self, text: bytes, at: int, seconds: float) -> tuple[int, int] | None:
        """Returns start and end of the first match from `at` on, the longest there; None if there is none.

        Empty matches are skipped. Raises TimeoutError.
        """
        while at < len(text) and (match := self.whole.search(text, at, timeout=seconds)) is not None:
            if match.start() < match.end():
                return match.span()
            at = match.end() + 1
        return None

    def begun(self, text: bytes, at: int, seconds: float) -> int:
        """Returns where a match may begin that the end of the text cuts off; the text's length if there is none.

        Raises TimeoutError.
        """
        match = self._begun.search(text, at, partial=True, timeout=seconds)
        return match.start() if match else len(text)
