"""`python -m shared.verify FOLDER`: holds downloaded transcripts to their hash chains, far from the service.

It prints one line for each console and one for each finding. It exits with 0 when all are complete, 1 when something
was found, 2 when it could not begin. Whatever a file holds, nothing of it reaches the terminal unescaped.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from shared.domain.verify import Report, verify

SUFFIX = ".cast"


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    folders = _consoles(asked.folder)
    if not folders:
        print(f"no segments (NNNNNNNN{SUFFIX}) in {asked.folder}: name the folder that you downloaded", file=sys.stderr)
        return 2
    if asked.holds and len(folders) > 1:
        print("--holds is about one console: name its own folder", file=sys.stderr)
        return 2
    complete = True
    for folder in folders:
        print(f"verifying {str(folder)!a} ...", file=sys.stderr)
        try:
            report = verify(_segments(folder), asked.holds)
        except OSError as error:
            print(f"cannot read {error.filename!a}: {error.strerror}", file=sys.stderr)
            return 2
        complete = complete and report.complete
        print(json.dumps(_fields(folder, report)) if asked.json else "\n".join(_words(folder, report)), flush=True)
    return 0 if complete else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m shared.verify", description="Is a downloaded transcript complete and as it was written?"
    )
    parser.add_argument("folder", type=Path, help="a console's segments, or a folder of such folders")
    parser.add_argument(
        "--holds", metavar="HASH", type=_hash, action="append", default=[],
        help="a hash that an earlier run printed: the transcript must still hold it (may be given again)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object for each console instead of text")
    return parser


def _hash(text: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != 32:  # noqa: PLR2004  # SHA-256
        raise argparse.ArgumentTypeError("a hash is 64 hexadecimal digits")
    return value


def _consoles(folder: Path) -> list[Path]:
    return sorted({path.parent for path in folder.rglob(f"*{SUFFIX}") if path.stem.isdecimal()})


def _segments(folder: Path) -> Iterator[tuple[int, Iterable[bytes]]]:
    found = (path for path in folder.glob(f"*{SUFFIX}") if path.stem.isdecimal())
    for path in sorted(found, key=lambda path: int(path.stem)):
        with path.open("rb") as lines:
            yield int(path.stem), lines


def _words(folder: Path, report: Report) -> Iterator[str]:
    verdict = "complete" if report.complete else "NOT COMPLETE"
    yield f"{report.console or str(folder)!a}: {verdict}"
    yield f"  bytes {report.first} to {report.end} in {report.segments} segments, hash {report.hash.hex()}"
    for each in report.findings:
        yield f"  {each.fault}: {each.words} (segment {each.segment}, line {each.line}, after byte {each.offset})"


def _fields(folder: Path, report: Report) -> dict[str, Any]:
    findings = [
        {
            "fault": each.fault.value, "segment": each.segment, "line": each.line, "offset": each.offset,
            "message": each.words,
        }
        for each in report.findings
    ]  # fmt: skip
    return {
        "folder": str(folder), "console": report.console, "complete": report.complete, "segments": report.segments,
        "first": report.first, "end": report.end, "hash": report.hash.hex(), "findings": findings,
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
