"""What the record keeps of a console's bytes beyond the rule: all that is printed, of what is typed the count."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from shared.access.mask_pattern import check_pattern
from shared.access.policy import Level, Typing


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    typed: Typing = Typing.COUNTED
    mask: tuple[str, ...] = ()
    """Patterns (shared/console/masking.py) of what is not kept of what is printed."""

    def to_json(self) -> dict[str, Any]:
        return {"typed": self.typed.value, "mask": list(self.mask)}

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Raises ValueError, KeyError, TypeError: then nobody knows what may be kept."""
        mask = tuple(str(pattern) for pattern in document["mask"])
        for pattern in mask:
            check_pattern(pattern)
        return cls(Typing(document["typed"]), mask)


BY_RULE = RecordingSettings()


def recording_settings(levels: Sequence[Level]) -> RecordingSettings:
    """What the policies over a VM say together: of the ways to keep what is typed the one that keeps least, and the
    patterns of all.
    """
    choices = {level.policy.typed for level in levels}
    typed = next((typing for typing in _FROM_LEAST if typing in choices), Typing.COUNTED)
    return RecordingSettings(typed, tuple(dict.fromkeys(pattern for level in levels for pattern in level.policy.mask)))


_FROM_LEAST = (Typing.COUNTED, Typing.ECHOED, Typing.MASKED)
