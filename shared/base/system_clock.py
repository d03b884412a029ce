"""The machine's clock and its randomness."""

import secrets
import time


class SystemClock:
    def now(self) -> float:
        return time.time()


class RandomIds:
    def session(self) -> str:
        return secrets.token_urlsafe(16)
