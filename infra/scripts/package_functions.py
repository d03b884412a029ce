"""The function app's package: the files that git knows and .funcignore does not leave out, and their bytecode.

Bytecode spares a new instance the compiling of every module. It is made for the Python that runs in Azure, and is not
held against the source's time, which unpacking changes. Standard library only.

The engine of the lock stands in the packaged host.json as it is deployed: scale controllers read that file, not app
settings that override it (Azure/azure-functions-durable-extension issue 2622).

The fallback (docs/versions.md) is the same package with the files of infra/durable1 in place of their namesakes.
"""

import fnmatch
import json
import py_compile
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FALLBACK = ROOT / "infra/durable1"
"""For the released line of the library under the lock, and the released bundle of the host's extensions."""
PYTHON = (ROOT / ".python-version").read_text().strip()


LINES = ("2", "1")
"""Of azure-functions-durable: the application's own, and the fallback."""


class WrongPython(Exception):
    """This Python's bytecode is not that of the function app."""


def ignored(path: str, patterns: list[str]) -> bool:
    """As the Functions tools read .funcignore: a pattern fits a file's or a folder's own name."""
    return any(fnmatch.fnmatch(part, pattern) for part in Path(path).parts for pattern in patterns)


def tracked(root: Path = ROOT) -> list[str]:
    """Files that git knows, or would know."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.splitlines() if (root / name).exists()]


def contents(root: Path = ROOT) -> list[str]:
    patterns = [line for line in (root / ".funcignore").read_text().splitlines() if line and not line.startswith("#")]
    return [path for path in tracked(root) if not ignored(path, patterns)]


def bytecode(name: str, source: bytes) -> tuple[str, bytes]:
    """The name of a module's bytecode in the package, and the bytecode. Raises PyCompileError."""
    with tempfile.TemporaryDirectory() as folder:
        file, target = Path(folder, "module.py"), str(Path(folder, "module.pyc"))
        file.write_bytes(source)
        unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(file), target, dfile=name, doraise=True, invalidation_mode=unchecked)
        place = Path(name).with_name("__pycache__") / f"{Path(name).stem}.{sys.implementation.cache_tag}.pyc"
        return place.as_posix(), Path(target).read_bytes()


def backends(root: Path = ROOT) -> dict[str, Path]:
    """The `storageProvider` of host.json, by the value of the Bicep's parameter `durableBackend`."""
    return {file.stem: file for file in sorted((root / "infra/host").glob("*.json"))}


def host_json(source: bytes, backend: str, durable: str = "2") -> bytes:
    """Raises KeyError for a backend that is none."""
    host = json.loads(source)
    if durable == "1":
        host["extensionBundle"] = json.loads((FALLBACK / "extension_bundle.json").read_text())
    host["extensions"]["durableTask"]["storageProvider"] = json.loads(backends()[backend].read_text())
    return (json.dumps(host, indent=2) + "\n").encode()


def files(backend: str, durable: str = "2") -> Iterator[tuple[str, bytes]]:
    """Every file of the package with what is in it."""
    for name in contents():
        instead = FALLBACK / name
        source = (instead if durable == "1" and instead.exists() else ROOT / name).read_bytes()
        if name == "host.json":
            source = host_json(source, backend, durable)
        yield name, source
        if name.endswith(".py"):
            yield bytecode(name, source)


def pack(target: Path, backend: str = "storage", durable: str = "2") -> int:
    """The same files make the same bytes: times are left out. Raises WrongPython, KeyError."""
    if durable not in LINES:
        raise KeyError(durable)
    version = ".".join(map(str, sys.version_info[:2]))
    if version != PYTHON:
        raise WrongPython(
            f"this is Python {version}, the function app runs on {PYTHON}: set PYTHON to a python{PYTHON}"
        )
    packed = sorted(files(backend, durable))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in packed:
            package.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return len(packed)


if __name__ == "__main__":
    try:
        print(f"{pack(Path(sys.argv[1]), *sys.argv[2:4])} files in {sys.argv[1]}")
    except WrongPython as error:
        sys.exit(str(error))
    except KeyError as error:
        sys.exit(f"neither a durableBackend ({' or '.join(backends())}) nor a line ({' or '.join(LINES)}) is {error}")
