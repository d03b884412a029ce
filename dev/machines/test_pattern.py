"""The known stream that `say-hash LINES SEED` prints in a guest: what a transcript must contain, byte for byte.

No two neighbouring bytes are equal, so a doubled byte shows; the last line is the SHA-256 of the lines before it
as they cross the wire, each ended by CR LF. The guest's awk and this module agree by construction: the generator is
small enough to be exact in awk's floating point.
"""

import hashlib
from collections.abc import Iterator

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
WIDTH = 62
"""Letters in a line; with CR LF a line is 64 bytes."""


def lines(count: int, seed: int) -> Iterator[str]:
    state, last = seed % 65537, ""
    for _ in range(count):
        line = []
        for _ in range(WIDTH):
            state = (state * 75 + 74) % 65537
            letter = LETTERS[state % 64]
            if letter == last:
                letter = LETTERS[(state + 1) % 64]
            line.append(letter)
            last = letter
        yield "".join(line)


def stream(count: int, seed: int) -> bytes:
    """The lines as they cross the wire."""
    return "".join(f"{line}\r\n" for line in lines(count, seed)).encode()


def transcript(count: int, seed: int) -> bytes:
    """Everything the command prints, its last line included."""
    body = stream(count, seed)
    return body + f"sha256 {hashlib.sha256(body).hexdigest()}\r\n".encode()


COMMAND = f"""#!/bin/sh
# say-hash LINES SEED: a known stream, then the SHA-256 of what crossed the wire
say() {{
  awk -v count="${{1:-100}}" -v seed="${{2:-1}}" -v ending="$3" 'BEGIN {{
    letters = "{LETTERS}"; state = seed % 65537; last = ""
    for (i = 0; i < count; i++) {{
      line = ""
      for (j = 0; j < {WIDTH}; j++) {{
        state = (state * 75 + 74) % 65537
        letter = substr(letters, state % 64 + 1, 1)
        if (letter == last) letter = substr(letters, (state + 1) % 64 + 1, 1)
        line = line letter; last = letter
      }}
      printf "%s%s", line, ending
    }}
  }}'
}}
say "$1" "$2" '\\n'
echo "sha256 $(say "$1" "$2" '\\r\\n' | sha256sum | cut -d' ' -f1)"
"""
"""The same as a shell command for the guest."""
