"""`python -m shared.verify FOLDER`: holds downloaded transcripts to their hash chains, far from the service.

With `--statements` and `--keys` they are held to what the service signed, too. It prints a verdict for each console and
what was found. It exits with 0 when all are complete, 1 when something was found, 2 when it could not begin.
Whatever a file holds, nothing of it reaches the terminal unescaped.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.transcript.segment import DamagedSegment, TranscriptEnd, read_end, read_header
from shared.transcript.signed_statements import InvalidStatement, Statement
from shared.transcript.verification import Fault, Finding, Report, Verification

SEGMENT, STATEMENTS = ".cast", ".jws"
_TAIL_BYTES = 64 * 1024
_HASH_BYTES = 32
_US = 1_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    asked = parser.parse_args(arguments)
    if (asked.statements is None) != (asked.keys is None):
        parser.error("--statements and --keys belong together: what was signed, and the keys that prove it")
    folders = _consoles(asked.folder)
    if not folders:
        print(f"no segments (NNNNNNNN{SEGMENT}) in {asked.folder}: name the folder you downloaded", file=sys.stderr)
        return 2
    if asked.holds and len(folders) > 1:
        print("--holds is about one console: name its own folder", file=sys.stderr)
        return 2
    complete = True
    try:
        signed = _signed(asked.statements, asked.keys) if asked.keys else None
        for folder in folders:
            report = _verified(folder, asked, signed)
            complete = complete and report.complete
            print(json.dumps(_fields(folder, report)) if asked.json else _words(folder, report), flush=True)
    except OSError as error:
        print(f"cannot read {error.filename!a}: {error.strerror}", file=sys.stderr)
        return 2
    except InvalidStatement as error:
        print(f"cannot use the keys: {error}", file=sys.stderr)
        return 2
    return 0 if complete else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m shared.verify", description="Is a downloaded transcript complete and as it was written?"
    )
    parser.add_argument("folder", type=Path, help="a console's segments, or a folder of such folders")
    parser.add_argument(
        "--statements", metavar="FOLDER", type=Path,
        help="the container checkpoints, downloaded, or the answers of GET .../checkpoints: what the service signed",
    )  # fmt: skip
    parser.add_argument("--keys", metavar="FILE", type=Path, help="the service's public keys: JSON with `keys`")
    parser.add_argument(
        "--from", dest="begin", metavar="TIME", type=_time, help="begin with the segment of this time (ISO 8601)"
    )
    parser.add_argument("--to", dest="end", metavar="TIME", type=_time, help="end with the segment of this time")
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
    if len(value) != _HASH_BYTES:
        raise argparse.ArgumentTypeError("a hash is 64 hexadecimal digits")
    return value


def _time(text: str) -> int:
    """Microseconds since 1970; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("write a time like 2026-11-24T03:00:00Z") from error
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * _US)


def _consoles(folder: Path) -> list[Path]:
    return sorted({path.parent for path in folder.rglob(f"*{SEGMENT}") if path.stem.isdecimal()})


@dataclass(frozen=True, slots=True)
class _Signed:
    said: Sequence[Statement]
    broken: int


def _signed(place: Path, keys: Path) -> _Signed:
    """Raises OSError, InvalidStatement."""
    from shared.transcript.keys.statement_keys import StatementKeys  # noqa: PLC0415 - without statements, Python alone will do

    try:
        reader = StatementKeys(json.loads(keys.read_bytes()))
    except ValueError as error:
        raise InvalidStatement(str(error)) from error
    said: list[Statement] = []
    lines = _lines(place)
    for line in lines:
        try:
            said.append(reader.read(line))
        except InvalidStatement:
            continue
    return _Signed(said, len(lines) - len(said))


def _lines(place: Path) -> list[str]:
    """Of blobs and of the API's answers, which are pages. Raises OSError."""
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    lines: list[str] = []
    more, pages = True, False
    for path in (each for each in files if not place.is_dir() or each.suffix in (STATEMENTS, ".json")):
        text = path.read_text("ascii", "replace")
        try:
            page = json.loads(text)
            lines += [str(line) for line in page["value"]]
            more, pages = more and page.get("next") is not None, True
        except (ValueError, KeyError, TypeError, AttributeError):
            lines += text.splitlines() if path.suffix != ".json" else []
    if pages and more:
        raise OSError(0, "the last page of the answers is not there: go on with `next` as `cursor`", str(place))
    return lines


def _verified(folder: Path, asked: argparse.Namespace, signed: _Signed | None) -> Report:
    """Raises OSError."""
    paths = {int(path.stem): path for path in folder.glob(f"*{SEGMENT}") if path.stem.isdecimal()}
    ordinals = _within(paths, asked.begin, asked.end)
    walk = Verification(
        asked.holds, signed.said if signed else None,
        after=_before(paths, ordinals[0]) if asked.begin and ordinals else None, to_the_end=asked.end is None,
    )  # fmt: skip
    for number, ordinal in enumerate(ordinals, 1):
        _progress(f"{folder.name!a}: segment {number} of {len(ordinals)}")
        walk.segment(ordinal)
        with paths[ordinal].open("rb") as lines:
            walk.feed(lines)
    _progress("")
    report = walk.report()
    if signed and signed.broken:
        words = f"{signed.broken} lines among the statements are not signed by any of the keys"
        return replace(report, findings=(*report.findings, Finding(Fault.ALTERED, 0, 0, 0, words)))
    return report


def _progress(words: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)


def _within(paths: dict[int, Path], begin: int | None, end: int | None) -> list[int]:
    """The numbers of the segments that were written to between these times."""
    ordinals = sorted(paths)
    started = {ordinal: _started_us(paths[ordinal]) for ordinal in ordinals} if begin or end else {}
    first = max((each for each in ordinals if begin and started[each] <= begin), default=0)
    return [each for each in ordinals if each >= first and (end is None or started[each] <= end)]


def _started_us(path: Path) -> int:
    """0 where it cannot be read: then it is within every range, and the verification tells."""
    with path.open("rb") as lines:
        try:
            return int(read_header(lines.readline()).started_us)
        except (DamagedSegment, TypeError, ValueError):
            return 0


def _before(paths: dict[int, Path], first: int) -> TranscriptEnd | None:
    """Where the segment before `first` ends, if it is there and can be read; else where `first` says it begins."""
    if path := paths.get(first - 1):
        with suppress(DamagedSegment):
            return replace(_tail(path, first - 1), ordinal=first)
    with suppress(DamagedSegment), paths[first].open("rb") as lines:
        header = read_header(lines.readline())
        return TranscriptEnd(first, offset=header.offset, hash=header.previous)
    return None


def _tail(path: Path, ordinal: int) -> TranscriptEnd:
    """Raises DamagedSegment."""
    with path.open("rb") as content:
        head = content.readline()
        length = content.seek(0, 2)
        content.seek(max(0, length - _TAIL_BYTES))
        return read_end(ordinal, length, 0, head, content.read())


def _words(folder: Path, report: Report) -> str:
    verdict = "complete" if report.complete else "NOT COMPLETE"
    lines = [
        f"{report.console or str(folder)!a}: {verdict}",
        f"  bytes {report.first} to {report.end} in {report.segments} segments, hash {report.hash.hex()}",
    ]
    if report.signed:
        at = datetime.fromtimestamp(report.signed.at, UTC).isoformat()
        lines.append(f"  signed by the service up to byte {report.signed.offset}, at {at}")
    for each in report.findings:
        lines.append(
            f"  {each.fault}: {each.words} (segment {each.segment}, line {each.line}, after byte {each.offset})"
        )
        lines.append(f"    could be explained by {each.fault.who}")
    return "\n".join(lines)


def _fields(folder: Path, report: Report) -> dict[str, Any]:
    findings = [
        {
            "fault": each.fault.value, "segment": each.segment, "line": each.line, "offset": each.offset,
            "message": each.words, "who": each.fault.who,
        }
        for each in report.findings
    ]  # fmt: skip
    signed = report.signed
    return {
        "folder": str(folder), "console": report.console, "complete": report.complete, "segments": report.segments,
        "first": report.first, "end": report.end, "hash": report.hash.hex(),
        "signed": {"at": signed.at, "offset": signed.offset} if signed else None, "findings": findings,
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
