"""What lies outside and when it does not answer, the time, chance."""

from typing import Protocol


class Unavailable(Exception):
    """Something outside does not answer. `what` is its name in the health report; the text holds no secret."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")
        self.what = what


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since 1970, with microseconds."""
        ...


class Ids(Protocol):
    """Where randomness comes from."""

    def session(self) -> str:
        """A new session id: 128 random bits, url-safe."""
        ...
