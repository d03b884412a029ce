"""What a gateway replays is told from what is new by content, for any stream, any ring, any moment of connecting."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.base.record_end import TAIL_BYTES, RecordedTail
from shared.console.replay import BANNER_BYTES, PROOF, settle
from tests.patience import PATIENCE

BOOT = b"".join(b"[%5d] line of a boot\r\n" % number for number in range(200))
PROMPT = b"\r\nUbuntu web-01 ttyS0\r\n\r\nweb-01 login: "


def parts(tail: bytes, burst: bytes, *, cut: bool = False) -> tuple[bytes, bytes]:
    found = settle(RecordedTail(tail, cut=cut), burst)
    assert found.banner + found.again + found.fresh == burst
    return found.again, found.fresh


@pytest.mark.parametrize("ring", [PROOF, 100, len(BOOT) - 1, len(BOOT), len(BOOT) + 5])
def test_a_silent_vm_prints_nothing_whatever_the_ring_holds(ring: int) -> None:
    assert parts(BOOT, BOOT[-ring:]) == (BOOT[-ring:], b"")


@pytest.mark.parametrize("ring", [PROOF, 100, len(BOOT)])
def test_what_was_printed_meanwhile_follows_what_is_on_record(ring: int) -> None:
    assert parts(BOOT, BOOT[-ring:] + b"printed to nobody") == (BOOT[-ring:], b"printed to nobody")


def test_a_replay_that_reaches_back_further_than_what_is_remembered_is_on_record_up_to_its_end() -> None:
    found = settle(RecordedTail(BOOT[-300:], cut=True), BOOT + b"new")
    assert (found.again, found.fresh, found.compared) == (BOOT, b"new", 300)


def test_a_prompt_found_behind_other_bytes_proves_nothing() -> None:
    burst = BOOT + PROMPT + b"typed meanwhile\r\n" + PROMPT
    assert parts(PROMPT, burst, cut=True) == (b"", burst)


def test_what_lies_between_two_copies_of_what_is_remembered_is_new() -> None:
    same, between = BOOT[-300:], b"# printed to nobody\r\n"
    assert parts(same, BOOT + between + same, cut=True) == (BOOT, between + same)
    assert parts(same, BOOT + same + between + same, cut=True) == (BOOT + same, between + same)


def test_a_vm_chooses_only_so_much_of_the_gateways_own_words() -> None:
    found = settle(RecordedTail(BOOT), b"Connecting..." + b"\x1b[m" * 80_000)
    assert len(found.banner) <= BANNER_BYTES


def test_where_nothing_is_known_everything_is_new() -> None:
    assert parts(b"", BOOT) == (b"", BOOT)
    assert parts(b"", BOOT, cut=True) == (b"", BOOT)
    assert parts(BOOT, b"") == (b"", b"")


def test_a_ring_that_has_gone_round_meanwhile_is_new_as_a_whole() -> None:
    later = b"".join(b"[%5d] after that\r\n" % number for number in range(1000, 1100))
    assert parts(BOOT, later) == (b"", later)


def test_a_few_equal_bytes_prove_nothing() -> None:
    assert parts(b"some text\r\n", b"\r\nother text") == (b"", b"\r\nother text")
    assert parts(BOOT, BOOT[1 - PROOF :]) == (b"", BOOT[1 - PROOF :])
    assert parts(BOOT + b"0123456789abcde", b"0123456789abcde and more") == (b"", b"0123456789abcde and more")


def test_a_few_bytes_do_where_they_are_all_that_is_known_and_all_that_comes() -> None:
    assert parts(b"login: ", b"login: ") == (b"login: ", b"")
    assert parts(b"login: ", b"login: x") == (b"", b"login: x")


def test_a_burst_that_ends_inside_what_is_recorded_is_kept() -> None:
    assert parts(BOOT, BOOT[500:1000]) == (b"", BOOT[500:1000])


def test_prompts_over_and_over_add_nothing_and_the_doubt_is_told() -> None:
    tail, burst = BOOT + PROMPT * 5, PROMPT * 3
    found = settle(RecordedTail(tail), burst)
    assert (found.again, found.fresh) == (burst, b"")
    assert found.perhaps_new == 2 * len(PROMPT)
    assert settle(RecordedTail(BOOT), BOOT[-100:]).perhaps_new == 0


def test_more_prompts_than_were_recorded_are_new() -> None:
    assert parts(BOOT + PROMPT * 2, PROMPT * 5) == (PROMPT * 2, PROMPT * 3)


def test_a_tail_of_prompts_alone_takes_any_number_of_them_for_the_same() -> None:
    found = settle(RecordedTail(PROMPT * 8, cut=True), PROMPT * 50)
    assert (found.again, found.perhaps_new) == (PROMPT * 50, 49 * len(PROMPT))


def test_what_lies_before_all_that_is_on_record_is_new_although_the_same_comes_again_later() -> None:
    assert parts(PROMPT, b"before" + PROMPT) == (b"", b"before" + PROMPT)
    assert parts(PROMPT * 2, PROMPT * 5) == (PROMPT * 2, PROMPT * 3)


def test_an_escape_sequence_or_a_character_cut_in_two_is_put_together_again() -> None:
    whole = BOOT + "\x1b[1;32mgrün ✓\x1b[0m".encode()
    for cut in range(len(BOOT), len(whole)):
        again, fresh = parts(whole[:cut], whole[-60:])
        assert whole[:cut] + fresh == whole, cut
        assert again == whole[-60:cut]


def test_the_gateways_own_words_are_not_the_vms() -> None:
    found = settle(RecordedTail(BOOT), b"\x1b[2J\x1b[HConnecting...\r\n\r\n" + BOOT[-300:] + b"new")
    assert found.banner == b"\x1b[2J\x1b[HConnecting...\r\n\r\n"
    assert (found.again, found.fresh) == (BOOT[-300:], b"new")
    assert settle(RecordedTail(BOOT), b"Connecting...\r\n" + BOOT).banner == b"Connecting...\r\n"
    assert settle(RecordedTail(b""), b"Connecting...\r\nlogin: ").fresh == b"login: "


def test_the_same_words_of_the_vm_are_the_vms() -> None:
    tail = BOOT + b"Connecting...\r\nto the network\r\n"
    assert settle(RecordedTail(tail), tail[len(BOOT) :]).banner == b""


def test_the_hash_is_of_what_is_on_record_and_keyed_where_that_is_masked() -> None:
    found = settle(RecordedTail(BOOT[-300:], cut=True), BOOT)
    assert found.hash(None) == hashlib.sha256(BOOT[-300:]).hexdigest()
    assert found.hash(b"key") == hmac.digest(b"key", BOOT[-300:], "sha256").hex()


def test_a_tail_remembers_the_last_bytes_alone() -> None:
    tail = RecordedTail(b"known")
    tail.add(b"x" * (TAIL_BYTES - 5))
    assert (len(bytes(tail)), tail.cut) == (TAIL_BYTES, False)
    tail.add(b"x" * 5)
    assert (bytes(tail), tail.cut) == (b"x" * TAIL_BYTES, True)
    tail.add(b"y" * TAIL_BYTES)
    assert bytes(tail) == b"y" * TAIL_BYTES
    tail.masked = True
    tail.clear()
    assert (bytes(tail), tail.masked, tail.cut) == (b"", False, False)


def test_a_vm_that_prints_the_same_for_hours_and_is_silent_prints_nothing() -> None:
    tail = RecordedTail()
    tail.add(PROMPT * 2000)
    assert settle(tail, PROMPT * 1500).fresh == b""
    assert settle(tail, PROMPT * 100).fresh == b""


@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize("tail", [b"ab" + b"a" * 16000, b"a" * 16000 + b"b" + b"a" * 300, b"a" * 16384])
def test_no_bytes_that_a_vm_may_choose_make_it_slow(tail: bytes) -> None:
    for cut in (True, False):
        settle(RecordedTail(tail, cut=cut), b"a" * (2 << 20))
        settle(RecordedTail(tail, cut=cut), b"b" + b"a" * (2 << 20))


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[bytes], list[bool], int]:
    """What a VM prints in turns, in which of them somebody is connected, and how much the gateway's ring holds."""
    words = st.sampled_from([b"\r\n", b"login: ", b"\x1b[K", "ü".encode(), b"ab", b"a"])
    turns = draw(st.lists(st.lists(words, max_size=8).map(b"".join), min_size=1, max_size=10))
    here = draw(st.lists(st.booleans(), min_size=len(turns), max_size=len(turns)))
    return turns, here, draw(st.integers(PROOF, 200))


class Model:
    """A relay and a replaying gateway. `early`: how much of a turn comes while the replay is still being looked at."""

    def __init__(self, ring: int) -> None:
        self.ring, self.printed, self.recorded, self.tail = ring, b"", b"", RecordedTail()

    def turn(self, prints: bytes, early: int, *, here: bool) -> None:
        if not here:
            self.printed += prints
            return
        burst = self.printed[-self.ring :] + prints[:early]
        found = settle(self.tail, burst)
        if burst and not found.again:
            self.tail.clear()
        for data in (found.fresh, prints[early:]):
            self.recorded += data
            self.tail.add(data)
        self.printed += prints


@settings(max_examples=400)
@given(lives(), st.integers(0, 20))
def test_the_record_always_ends_as_the_gateway_ends(life: tuple[list[bytes], list[bool], int], early: int) -> None:
    """However repetitive the stream: nothing that the ring holds is missing from the end of the record."""
    turns, heres, ring = life
    model = Model(ring)
    for prints, here in zip(turns, heres, strict=True):
        model.turn(prints, early, here=here)
        if here:
            assert model.recorded.endswith(model.printed[-ring:])


@settings(max_examples=400)
@given(lives(), st.integers(0, 20))
def test_every_byte_is_recorded_once_where_the_content_tells(
    life: tuple[list[bytes], list[bool], int], early: int
) -> None:
    """What was printed while somebody was connected, and what the ring still held, in order; no byte twice, but for
    the few that prove nothing.
    """
    turns, heres, ring = life
    model, expected, recorded_to = Model(ring), b"", 0
    for turn, (prints, here) in enumerate(zip(turns, heres, strict=True)):
        numbered = b"".join(b"%04d|%03d;" % (turn, at) for at in range(len(prints)))
        if here:
            before = model.printed
            held_from = max(0, len(before) - ring)
            proven = recorded_to - held_from >= PROOF or (recorded_to == len(before) and not numbered[:early])
            expected += before[recorded_to if proven else held_from :] + numbered
            recorded_to = len(before) + len(numbered)
        model.turn(numbered, early, here=here)
    assert model.recorded == expected
