import pytest

from shared.access.flows.tell_unavailable import tell_unavailable
from shared.base.ports import Dependency, Trouble, Unavailable
from shared.base.refusals import TABLE, Code


@pytest.mark.parametrize(
    ("what", "trouble", "code", "words"),
    [
        (Dependency.ARM, Trouble.AWAY, Code.AZURE_UNAVAILABLE, "Azure Resource Manager cannot be reached"),
        (Dependency.ARM, Trouble.THROTTLED, Code.AZURE_THROTTLED, "Azure Resource Manager throttles"),
        (
            Dependency.ARM,
            Trouble.SILENT,
            Code.AZURE_TIMEOUT,
            "Azure Resource Manager took a question",
        ),
        (Dependency.ARM, Trouble.SLOW, Code.AZURE_UNAVAILABLE, "Azure Resource Manager answers, but so slowly"),
        (
            Dependency.ARM,
            Trouble.FORBIDDEN,
            Code.SERVICE_NOT_PERMITTED,
            "Azure Resource Manager does not allow",
        ),
        (
            Dependency.ARM,
            Trouble.LATE,
            Code.AZURE_UNAVAILABLE,
            "Azure Resource Manager was not asked: what came before",
        ),
        (Dependency.STORAGE_TABLES, Trouble.SILENT, Code.AZURE_TIMEOUT, "The service's table storage took a question"),
        (Dependency.STORAGE_BLOBS, Trouble.THROTTLED, Code.AZURE_THROTTLED, "The service's blob storage throttles"),
        (Dependency.KEY_VAULT, Trouble.SLOW, Code.AZURE_UNAVAILABLE, "The service's key vault answers, but so slowly"),
        (Dependency.CONSOLE_LOCK, Trouble.LATE, Code.LOCK_UNAVAILABLE, "The lock of this console was not asked"),
        (Dependency.RELAY, Trouble.LATE, Code.RELAY_UNAVAILABLE, "The relay of this console was not asked"),
        (Dependency.RELAY, Trouble.SILENT, Code.RELAY_UNAVAILABLE, "The relay of this console took what it was asked"),
        (Dependency.RELAY, Trouble.AWAY, Code.RELAY_UNAVAILABLE, "The relay of this console does not answer"),
        (Dependency.ENTRA, Trouble.THROTTLED, Code.AZURE_THROTTLED, "Entra ID throttles"),
        (Dependency.BOOT_DIAGNOSTICS, Trouble.SILENT, Code.AZURE_TIMEOUT, "Azure's boot diagnostics took a question"),
    ],
)
def test_the_words_tell_who_and_how(what: Dependency, trouble: Trouble, code: Code, words: str) -> None:
    refusal = tell_unavailable(Unavailable(what, "a secret address", trouble), "vm")
    assert (refusal.code, refusal.target, refusal.retry_after) == (code, "vm", TABLE[code].retry_after)
    assert refusal.message.startswith(words)
    assert "secret" not in refusal.message


def test_azures_own_number_is_handed_on_in_the_words_too() -> None:
    refusal = tell_unavailable(Unavailable(Dependency.ARM, "throttles", Trouble.THROTTLED, retry_after=37))
    assert refusal.retry_after == 37
    assert "before 37 s have passed" in refusal.message


def test_what_is_not_azures_by_name_has_the_words_of_the_table() -> None:
    assert tell_unavailable(Unavailable(Dependency.EVENT_HUB, "x")).message == TABLE[Code.AZURE_UNAVAILABLE].message


@pytest.mark.parametrize(
    ("what", "code"), [(Dependency.RELAY, Code.RELAY_UNAVAILABLE), (Dependency.CONSOLE_LOCK, Code.LOCK_UNAVAILABLE)]
)
def test_a_relay_and_a_lock_are_what_they_are_however_they_fail(what: Dependency, code: Code) -> None:
    for trouble in Trouble:
        refusal = tell_unavailable(Unavailable(what, "x", trouble), "vm")
        assert (refusal.code, refusal.target) == (code, "vm")
