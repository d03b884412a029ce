"""The router of the real host, a program of Microsoft's parts: it says which function a request would reach."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.host_parts import PROGRAM


class RealRouter:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def find(self, method: str, path: str) -> tuple[str, dict[str, str]] | None:
        """The function that `path` (decoded) reaches, and its parameters."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"method": method, "path": quote(path)}) + "\n")
        self._process.stdin.flush()
        found = self._told()
        values = {name: value for name, value in found["values"].items() if value is not None}
        return (found["function"], values) if found["function"] else None

    def _told(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


@contextmanager
def real_router(home: Path, functions: list[dict[str, Any]], prefix: str = "api") -> Iterator[RealRouter]:
    """The real router over `functions`, each with name, route and methods."""
    told = home / "routes.json"
    told.write_text(json.dumps({"routePrefix": prefix, "functions": functions}))
    environment = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([PROGRAM, "routes", str(told)], env=environment, **pipes) as process:
        router = RealRouter(process)
        assert router._told() == {"ready": True}
        yield router
        assert process.stdin
        process.stdin.close()
