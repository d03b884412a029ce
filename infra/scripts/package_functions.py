"""The function app's package: the files that git knows and .funcignore does not leave out. Standard library only."""

import fnmatch
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


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


def pack(target: Path) -> int:
    """The same files make the same bytes: times are left out."""
    names = contents()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for name in sorted(names):
            package.writestr(zipfile.ZipInfo(name), (ROOT / name).read_bytes(), zipfile.ZIP_DEFLATED)
    return len(names)


if __name__ == "__main__":
    print(f"{pack(Path(sys.argv[1]))} files in {sys.argv[1]}")
