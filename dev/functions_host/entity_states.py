"""Entity states on disk, so that a restarted host still knows its locks. Orchestrations under way are not kept."""

import sqlite3
import threading
from pathlib import Path


class EntityStates:
    """A table of entity id to serialized state. Safe to call from any thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # A crash of the machine may cost the last states; a crash of the host may not.
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("CREATE TABLE IF NOT EXISTS entities (id TEXT PRIMARY KEY, state TEXT NOT NULL)")

    def all(self) -> dict[str, str]:
        with self._lock:
            return dict(self._db.execute("SELECT id, state FROM entities"))

    def keep(self, entity: str, state: str | None) -> None:
        """Keeps an entity's state; None deletes it."""
        with self._lock:
            if state is None:
                self._db.execute("DELETE FROM entities WHERE id = ?", (entity,))
            else:
                self._db.execute("INSERT OR REPLACE INTO entities VALUES (?, ?)", (entity, state))

    def close(self) -> None:
        with self._lock:
            self._db.close()
