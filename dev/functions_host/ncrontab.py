"""Six-field NCRONTAB: second, minute, hour, day of month, month, day of week (0 is Sunday). Pure; times are UTC."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
HORIZON = timedelta(days=366 * 8)
"""29 February comes at least this often."""


@dataclass(frozen=True)
class Schedule:
    """The values that each field admits."""

    second: frozenset[int]
    minute: frozenset[int]
    hour: frozenset[int]
    day: frozenset[int]
    month: frozenset[int]
    weekday: frozenset[int]

    def next_after(self, after: datetime) -> datetime:
        """The first time after `after` that the schedule names.

        Raises:
            ValueError: there is none, such as on 31 February.

        """
        at = after.replace(microsecond=0) + timedelta(seconds=1)
        while at - after < HORIZON:
            if at.month not in self.month or at.day not in self.day or at.isoweekday() % 7 not in self.weekday:
                at = (at + timedelta(days=1)).replace(hour=0, minute=0, second=0)
            elif at.hour not in self.hour:
                at = (at + timedelta(hours=1)).replace(minute=0, second=0)
            elif at.minute not in self.minute:
                at = (at + timedelta(minutes=1)).replace(second=0)
            elif at.second not in self.second:
                at += timedelta(seconds=1)
            else:
                return at
        raise ValueError("the schedule names no date that exists")


def parse(expression: str) -> Schedule:
    """Reads an expression such as `0 */5 * * * *`.

    Raises:
        ValueError: it has not six fields, or a field is none.

    """
    second, minute, hour, day, month, weekday = expression.split()
    return Schedule(
        _field(second, 0, 59),
        _field(minute, 0, 59),
        _field(hour, 0, 23),
        _field(day, 1, 31),
        _field(month, 1, 12, MONTHS),
        _field(weekday, 0, 6, DAYS),
    )


def _field(text: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    values: set[int] = set()
    for part in text.lower().split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        start = _number(first, low, names)
        end = _number(last, low, names) if last else (high if step else start)
        values.update(range(start, end + 1, int(step or 1)))
    if not values or not values <= set(range(low, high + 1)):
        raise ValueError(f"{text!r} is outside {low}-{high}")
    return frozenset(values)


def _number(text: str, low: int, names: tuple[str, ...]) -> int:
    return names.index(text[:3]) + low if text[:3] in names else int(text)
