"""The relay's log: one JSON line per event, to standard output."""

import json
import sys
from typing import Any

from shared.base.ports import Clock


class JsonLog:
    def __init__(self, relay: str, clock: Clock) -> None:
        self._relay, self._clock = relay, clock

    def __call__(self, event: str, /, **fields: Any) -> None:
        line = {"time": round(self._clock.now(), 6), "relay": self._relay, "event": event, **fields}
        sys.stdout.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
        sys.stdout.flush()
