"""What is kept of what is typed: a line in words only if all of it came back as it was typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.policy import Typing
from shared.console.input_recorder import ECHO_SECONDS, LINE_BYTES, InputRecorder, TypedLine


def typist(way: Typing = Typing.MASKED) -> InputRecorder:
    return InputRecorder(way)


def prints(one: InputRecorder, data: bytes) -> list[TypedLine]:
    """All of it kept."""
    return one.printed(data, data)


def keys(one: InputRecorder, text: bytes, *, echo: bool = True, session: str = "s") -> list[str]:
    """Typed one by one, each echoed before the next."""
    said: list[TypedLine] = []
    for byte in text:
        said += one.typed(session, bytes([byte]), 0.0)
        if echo:
            said += prints(one, b"\r\n" if byte in b"\r\n" else bytes([byte]))
    return [each.text for each in said]


def test_a_line_that_was_echoed_is_kept_when_it_ends() -> None:
    assert keys(typist(), b"ls -la\r") == ["ls -la^M"]


def test_a_password_is_asterisks_and_its_length() -> None:
    one = typist()
    assert keys(one, b"sudo -i\r") == ["sudo -i^M"]
    assert prints(one, b"[sudo] password for ada: ") == []
    assert keys(one, b"s3cret", echo=False) == []
    assert one.typed("s", b"\r", 0.0) == []
    assert prints(one, b"\r\nroot@web-01:~# ") == [TypedLine("s", "******^M")]


def test_where_only_what_was_echoed_is_kept_a_password_is_not_told_at_all() -> None:
    one = typist(Typing.ECHOED)
    assert keys(one, b"s3cret", echo=False) == []
    assert one.typed("s", b"\r", 0.0) + prints(one, b"\r\n") == []
    assert keys(one, b"id\r") == ["id^M"]


def test_an_echo_that_never_comes_is_waited_for_no_longer_than_a_second() -> None:
    one = typist()
    one.typed("s", b"s3cret\r", 10.0)
    assert one.tick(10.0 + ECHO_SECONDS / 2) == []
    assert one.tick(10.0 + ECHO_SECONDS) == [TypedLine("s", "******^M")]
    assert prints(one, b"s3cret") == []


def test_what_is_typed_before_the_wait_ends_cannot_be_revealed_by_what_the_vm_prints_later() -> None:
    one = typist()
    one.typed("s", b"s3cret", 0.0)
    one.tick(ECHO_SECONDS)
    assert one.typed("s", b"\r", 1.5) + prints(one, b"s3cretary\r\n") == [TypedLine("s", "******^M")]


def test_a_line_pasted_and_echoed_at_once_is_kept() -> None:
    one = typist()
    assert one.typed("s", b"echo hi\rid\r", 0.0) == []
    assert prints(one, b"echo hi\r\nid\r\n") == [TypedLine("s", "echo hi^M"), TypedLine("s", "id^M")]


def test_an_echo_in_pieces_is_an_echo() -> None:
    one = typist()
    one.typed("s", b"uptime\r", 0.0)
    assert prints(one, b"up") == []
    assert prints(one, b"time") == [TypedLine("s", "uptime^M")]


def test_what_the_vm_prints_in_between_makes_a_line_a_secret() -> None:
    one = typist()
    one.typed("s", b"u", 0.0)
    prints(one, b"[ 12.3] usb 1-1: new device\r\n")
    assert keys(one, b"ptime\r") == ["******^M"]


def test_control_keys_and_escape_sequences_are_written_out_and_need_no_echo() -> None:
    one = typist()
    assert one.typed("s", b"\x1b[A", 0.0) == []
    assert one.typed("s", b"\x1bOH\x1bf\x01\x7f", 0.0) == []
    assert one.typed("s", b"\x1b[1;5C", 0.0) == []
    assert keys(one, b"ls\x03") == ["^[[A^[OH^[f^A^?^[[1;5Cls^C"]


def test_an_escape_that_is_none_does_not_hide_the_next_line() -> None:
    one = typist()
    assert one.typed("s", b"\x1b\r", 0.0) == [TypedLine("s", "^[^M")]
    assert keys(one, b"id\r") == ["id^M"]


def test_of_an_echo_that_is_masked_a_line_keeps_the_asterisks() -> None:
    one = typist()
    one.typed("s", b"login \x1b[Chunter2 now\r", 0.0)
    assert one.printed(b"login hunter2 now\r\n", b"login ******* now\r\n") == [
        TypedLine("s", "login ^[[C******* now^M")
    ]


def test_a_mask_covers_a_line_that_is_kept_in_parts() -> None:
    one = typist()
    text = b"x" * (LINE_BYTES - 4) + b"hunter2"
    said = one.typed("s", text + b"\r", 0.0) + one.printed(text, text.replace(b"hunter2", b"*******"))
    assert "".join(each.text for each in said) == "x" * (LINE_BYTES - 4) + "*******^M"


@pytest.mark.parametrize("way", [Typing.ECHOED, Typing.MASKED])
def test_a_lone_escape_reveals_nothing_of_what_is_typed_after_it(way: Typing) -> None:
    one = typist(way)
    said = one.typed("s", b"\x1b", 0.0) + one.typed("s", b"[", 0.1) + one.typed("s", b"12h\r", 5.0) + one.tick(9.0)
    assert [each.text for each in said] == ([] if way is Typing.ECHOED else ["^[****^M"])


def test_another_session_begins_another_line_and_the_unfinished_one_is_told() -> None:
    one = typist()
    assert keys(one, b"ls", session="ada") == []
    assert one.typed("bob", b"x", 0.0) == [TypedLine("ada", "ls")]
    assert one.flush() == [TypedLine("bob", "*")]
    assert one.flush() == []


def test_a_very_long_line_is_kept_in_parts() -> None:
    told = keys(typist(), b"x" * (LINE_BYTES + 3) + b"\r")
    assert [len(text) for text in told] == [LINE_BYTES, 5]


def test_bytes_that_are_no_text_are_written_out() -> None:
    assert keys(typist(), "naïve\r".encode()) == ["naïve^M"]
    assert keys(typist(), b"\xff\r") == ["\\xff^M"]


SECRET = st.text("abc", min_size=1, max_size=6).map(str.encode)


@given(secret=SECRET, printed=st.lists(st.text("xyz\r\n", min_size=1).map(str.encode), max_size=4))
@pytest.mark.parametrize("way", [Typing.ECHOED, Typing.MASKED])
def test_what_is_not_echoed_is_never_told(way: Typing, secret: bytes, printed: list[bytes]) -> None:
    one = typist(way)
    said = one.typed("s", secret, 0.0)
    for data in printed:
        said += prints(one, data)
    said += one.typed("s", b"\r", 0.0) + one.tick(5.0) + one.flush()
    assert not any(letter in each.text for each in said for letter in "abc")
