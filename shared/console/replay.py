"""Splits the bytes that a serial gateway sends as a port opens: recorded already, or new.

A gateway shows whoever connects the end of what the VM has printed, whoever saw that before; then what it prints.
Nothing in the protocol says where the one ends. So what comes at the opening (`burst`) is held against what was
recorded last (`tail`), by content. The rule: *the record is the shortest stream that begins with what was recorded and
ends with what the gateway sent.* From that follows

- What ends as the tail ends, from the burst's first byte on, is on record: it is not recorded anew.
- What follows it was printed while nobody was connected, or just now: it is recorded.
- Where nothing shows that the two overlap, all of it is recorded, and the record says that it may repeat, or miss,
  something. A few equal bytes show nothing (PROOF), nor does time, nor does a burst that ends inside the tail.
- What is remembered of a longer record may come in the burst more than once. As far as these places touch, all between
  them is a copy of it; what lies between two that do not need not be on record, so the first one counts then.
- Where the VM prints the same over and over, how often it did meanwhile cannot be known. The burst then overlaps at
  several places; the longest counts, so that a silent VM adds nothing, and the record says how much is in doubt.

Nothing was typed yet (the relay lets nobody type before this is settled), so no echo is taken for a replay.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass

from shared.base.record_end import RecordedTail

PROOF = 16
"""Bytes that must be equal. Fewer will do where they are all that is known and all that comes."""
PROOF_INSIDE = 256
"""Bytes that must be found inside a burst, behind others: a login prompt is shorter, and comes again."""
_BANNER = re.compile(rb"(?:\x1b\[[0-9;?]*[A-Za-z])*Connecting\.\.\.(?:\x1b\[[0-9;?]*[A-Za-z]|[\r\n])*")
"""The gateway's own first words (microsoft/azserialconsole issue 116), should they come after the exchange."""
BANNER_BYTES = 512
"""Its words are fewer; a VM that prints the like of them chooses how much of it there is."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A burst, taken apart: `banner`, `again` and `fresh` are all of it, in this order."""

    banner: bytes
    """The gateway's own words."""
    again: bytes
    """On record already."""
    fresh: bytes
    """Not on record, as far as can be told."""
    compared: int
    """Bytes of `again`, its last ones, that were found equal to the record's last ones; the rest came before these."""
    perhaps_new: int
    """Bytes of `again`, its last ones, that the VM may have printed once more: they repeat what came before."""

    def hash(self, key: bytes | None) -> str:
        """SHA-256 of what was compared, in hexadecimal digits; with a key HMAC-SHA256, for what is masked on record:
        a plain hash of a secret among known bytes would let anybody try guesses.
        """
        data = self.again[len(self.again) - self.compared :]
        return hashlib.sha256(data).hexdigest() if key is None else hmac.digest(key, data, "sha256").hex()


@dataclass(frozen=True, slots=True)
class Opening:
    """The facts about a burst for the record and the viewers."""

    replay: Replay
    hash: str
    keyed: bool
    """The hash is, with MASK_KEY."""
    after: str = ""
    """The epoch that ends with what was compared; empty: nothing was known. What others have recorded since then and
    before this opening may be on record twice.
    """
    archive_known: bool = True
    """Whether it could be learnt how the archive ends: if not, others may have recorded since."""


def settle(tail: RecordedTail, burst: bytes) -> Replay:
    """Compares a burst with the last recorded bytes. Returns its parts: recorded already, and new."""
    last = bytes(tail)
    ends = _overlaps(last, burst, cut=tail.cut)
    known = ends is not None and ends[1] <= len(last)  # from its first byte on
    banner_match = None if known else _BANNER.match(burst, 0, BANNER_BYTES)
    banner, rest = (burst[: banner_match.end()], burst[banner_match.end() :]) if banner_match else (b"", burst)
    if banner_match:
        ends = _overlaps(last, rest, cut=tail.cut)
    shortest, longest = ends or (0, 0)
    return Replay(banner, rest[:longest], rest[longest:], min(longest, len(last)), longest - shortest)


def _overlaps(tail: bytes, burst: bytes, *, cut: bool) -> tuple[int, int] | None:
    """Returns the first and the last position in the burst where the tail may end; None if there is no proof."""
    if min(len(tail), len(burst)) < PROOF:
        return (len(tail), len(tail)) if tail and tail == burst else None
    if cut and len(tail) >= PROOF_INSIDE and (first := burst.find(tail)) >= 0:
        return _shortest_overlap(tail, burst, first + len(tail)), _last_in_touch(tail, burst, first) + len(tail)
    at = tail.find(burst[:PROOF])
    while at >= 0:
        if burst.startswith(tail[at:]):
            return _shortest_overlap(tail, burst, len(tail) - at), len(tail) - at
        at = tail.find(burst[:PROOF], at + 1)
    return None


def _last_in_touch(tail: bytes, burst: bytes, at: int) -> int:
    """Returns the start of the last copy among those that overlap or touch each other, from the one at `at` on.

    Backwards, for find is linear, rfind is not, and the VM chooses the bytes.
    """
    size, backwards = len(tail), tail[::-1]
    while (far := burst[at + 1 : at + 2 * size][::-1].find(backwards)) >= 0:
        at = min(len(burst), at + 2 * size) - far - size
    return at


def _shortest_overlap(tail: bytes, burst: bytes, longest: int) -> int:
    """Returns the shortest overlap that is proof; `longest` if there is none."""
    at = tail.rfind(burst[:PROOF])
    while at >= 0:
        if burst.startswith(tail[at:]):
            return min(longest, len(tail) - at)
        at = tail.rfind(burst[:PROOF], 0, at + PROOF - 1)
    return longest
