"""Settings that change what is recorded of a console. By default: all printed bytes, and the count of typed ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from shared.access.mask_pattern import check_pattern
from shared.access.policy import Level, Typing


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    typed: Typing = Typing.COUNTED
    mask: tuple[str, ...] = ()
    """Patterns (shared/console/masking.py) of printed bytes that are not recorded."""

    def to_json(self) -> dict[str, Any]:
        return {"typed": self.typed.value, "mask": list(self.mask)}

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Reads the settings. Raises ValueError, KeyError or TypeError; the caller must not guess settings then."""
        mask = tuple(str(pattern) for pattern in document["mask"])
        for pattern in mask:
            check_pattern(pattern)
        return cls(Typing(document["typed"]), mask)


BY_RULE = RecordingSettings()


def recording_settings(levels: Sequence[Level]) -> RecordingSettings:
    """Combines the policies that apply to a VM: typed input as the one that records least, and the patterns of all."""
    choices = {level.policy.typed for level in levels}
    typed = next((typing for typing in _FROM_LEAST if typing in choices), Typing.COUNTED)
    return RecordingSettings(typed, tuple(dict.fromkeys(pattern for level in levels for pattern in level.policy.mask)))


_FROM_LEAST = (Typing.COUNTED, Typing.ECHOED, Typing.MASKED)
