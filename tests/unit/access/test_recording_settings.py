import pytest

from shared.access.mask_pattern import InvalidPattern
from shared.access.policy import Level, Policy, Typing
from shared.access.recording_settings import BY_RULE, RecordingSettings, recording_settings


def levels(*policies: Policy) -> list[Level]:
    return [Level("/", policy) for policy in policies]


def test_where_nobody_says_anything_what_is_typed_is_counted_and_nothing_masked() -> None:
    assert (
        recording_settings([])
        == recording_settings(levels(Policy()))
        == BY_RULE
        == RecordingSettings(Typing.COUNTED, ())
    )


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ([Typing.MASKED], Typing.MASKED),
        ([Typing.MASKED, Typing.INHERITED], Typing.MASKED),
        ([Typing.MASKED, Typing.ECHOED], Typing.ECHOED),
        ([Typing.ECHOED, Typing.COUNTED, Typing.MASKED], Typing.COUNTED),
    ],
)
def test_of_several_levels_the_one_that_keeps_least_counts(said: list[Typing], kept: Typing) -> None:
    assert recording_settings(levels(*(Policy(typed=way) for way in said))).typed is kept


def test_the_patterns_of_all_levels_mask_each_once() -> None:
    assert recording_settings(levels(Policy(mask=("a", "b")), Policy(mask=("b", "c")))).mask == ("a", "b", "c")


def test_it_is_read_as_it_was_written_and_never_guessed() -> None:
    kept = RecordingSettings(Typing.MASKED, (r"\d{16}",))
    assert RecordingSettings.from_json(kept.to_json()) == kept
    for wrong in ({"typed": "masked"}, {"typed": "all", "mask": []}, None):
        with pytest.raises((KeyError, TypeError, ValueError)):
            RecordingSettings.from_json(wrong)
    with pytest.raises(InvalidPattern):
        RecordingSettings.from_json({"typed": "counted", "mask": ["("]})
