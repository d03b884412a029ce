"""Printed bytes as text that a person or a search reads: no escape sequences, what was overwritten is gone.

Line by line, so that pieces which end with whole lines read as the whole does.
"""

import re

_ESCAPE = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    rb"|[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\|(?=\n|\Z))"  # OSC, DCS and the like, with their text
    rb"|[ -/]*[0-~])"
)
_BEGUN = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\n]*\x1b?|[ -/]*)\Z")
_CHARACTER_BYTES = 4
_LONGEST = 4096
"""Bytes: what is longer and still has not ended is no escape sequence."""


def plain(printed: bytes) -> str:
    """Ends with a line end exactly if `printed` does."""
    text = _ESCAPE.sub(b"", printed).decode("utf-8", "replace")
    return "\n".join(_overtyped(line) for line in text.split("\n"))


def whole(printed: bytes) -> int:
    """How many of the bytes can be read by themselves: not a sequence or a character that only begins at the end."""
    tail = printed[-_LONGEST:]
    if begun := _BEGUN.search(tail):
        return len(printed) - len(tail) + begun.start()
    for back in range(1, min(_CHARACTER_BYTES, len(printed)) + 1):
        lead = printed[-back]
        if lead & 0xC0 != 0x80:  # noqa: PLR2004 - not a following byte of UTF-8
            return len(printed) - back if back < _length(lead) else len(printed)
    return len(printed)


def _length(lead: int) -> int:
    """Bytes of the character that begins so; 1 for what begins none."""
    return 2 if 0xC2 <= lead <= 0xDF else 3 if 0xE0 <= lead <= 0xEF else 4 if 0xF0 <= lead <= 0xF4 else 1  # noqa: PLR2004


def _overtyped(line: str) -> str:
    """What a carriage return or a backspace let be overwritten, as it stood at the end."""
    shown: list[str] = []
    at = 0
    for character in line.removesuffix("\r") if "\r" in line or "\b" in line else ():
        if character == "\r":
            at = 0
        elif character == "\b":
            at = max(0, at - 1)
        else:
            shown[at : at + 1] = [character]
            at += 1
    text = "".join(shown) if shown or "\r" in line or "\b" in line else line
    return "".join(character for character in text if character == "\t" or character.isprintable())
