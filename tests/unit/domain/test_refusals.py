import pytest

from shared.domain.refusals import TABLE, Code, refuse, together


def test_every_code_has_an_entry() -> None:
    assert set(TABLE) == set(Code)


@pytest.mark.parametrize("code", list(Code))
def test_a_refusal_is_as_the_table_has_it(code: Code) -> None:
    refusal, entry = refuse(code), TABLE[code]
    assert (refusal.status, refusal.message, refusal.retryable) == (
        entry.status,
        entry.message,
        bool(entry.retry_after),
    )
    assert refusal.close_code == (entry.close or 4000)


def test_close_codes_are_the_applications_own() -> None:
    assert all(4000 <= refuse(code).close_code < 5000 for code in Code)


def test_the_first_speaks_for_all() -> None:
    first, second = refuse(Code.VM_NOT_RUNNING, target="vm"), refuse(Code.INVALID_REQUEST, because="why")
    both = together([first, second])
    assert (both.code, both.details) == (first.code, (second,))
    assert second.message == "why"
    with pytest.raises(ValueError, match="unpack"):
        together([])
