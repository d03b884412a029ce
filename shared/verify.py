"""`python -m shared.verify FOLDER`: checks downloaded transcripts against their hash chains, without the service.

With `--statements` and `--keys` it checks them against the signed statements as well. It prints a verdict and the
findings of each console. It exits with 0 if all are complete, 1 if there is a finding, 2 if it could not begin.
It escapes everything that it prints from a file.
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
    parser = _build_parser()
    options = parser.parse_args(arguments)
    if (options.statements is None) != (options.keys is None):
        parser.error("--statements and --keys belong together: what was signed, and the keys that prove it")
    folders = _find_folders(options.folder)
    if not folders:
        print(f"no segments (NNNNNNNN{SEGMENT}) in {options.folder}: name the folder you downloaded", file=sys.stderr)
        return 2
    if options.holds and len(folders) > 1:
        print("--holds is about one console: name its own folder", file=sys.stderr)
        return 2
    complete = True
    try:
        signed_statements = _read_statements(options.statements, options.keys) if options.keys else None
        for folder in folders:
            report = _verify_folder(folder, options, signed_statements)
            complete = complete and report.complete
            print(json.dumps(_to_json(folder, report)) if options.json else _format_text(folder, report), flush=True)
    except OSError as error:
        print(f"cannot read {error.filename!a}: {error.strerror}", file=sys.stderr)
        return 2
    except InvalidStatement as error:
        print(f"cannot use the keys: {error}", file=sys.stderr)
        return 2
    return 0 if complete else 1


def _build_parser() -> argparse.ArgumentParser:
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
        "--from", dest="begin", metavar="TIME", type=_parse_time, help="begin with the segment of this time (ISO 8601)"
    )
    parser.add_argument("--to", dest="end", metavar="TIME", type=_parse_time, help="end with the segment of this time")
    parser.add_argument(
        "--holds", metavar="HASH", type=_parse_hash, action="append", default=[],
        help="a hash that an earlier run printed: the transcript must still hold it (may be given again)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object for each console instead of text")
    return parser


def _parse_hash(text: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != _HASH_BYTES:
        raise argparse.ArgumentTypeError("a hash is 64 hexadecimal digits")
    return value


def _parse_time(text: str) -> int:
    """Returns microseconds since 1970. A time without an offset is UTC. Raises ArgumentTypeError."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("write a time like 2026-11-24T03:00:00Z") from error
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * _US)


def _find_folders(folder: Path) -> list[Path]:
    return sorted({path.parent for path in folder.rglob(f"*{SEGMENT}") if path.stem.isdecimal()})


@dataclass(frozen=True, slots=True)
class _SignedStatements:
    statements: Sequence[Statement]
    unreadable: int


def _read_statements(place: Path, keys: Path) -> _SignedStatements:
    """Reads every statement that one of the keys signed, and counts the others. Raises OSError, InvalidStatement."""
    from shared.transcript.keys.statement_keys import StatementKeys  # noqa: PLC0415 - without statements, Python alone will do

    try:
        reader = StatementKeys(json.loads(keys.read_bytes()))
    except ValueError as error:
        raise InvalidStatement(str(error)) from error
    statements: list[Statement] = []
    lines = _read_lines(place)
    for line in lines:
        try:
            statements.append(reader.read(line))
        except InvalidStatement:
            continue
    return _SignedStatements(statements, len(lines) - len(statements))


def _read_lines(place: Path) -> list[str]:
    """Returns the statements of downloaded blobs, and of saved pages of the API's answers.

    Raises OSError, also if the last page is missing.
    """
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


def _verify_folder(folder: Path, options: argparse.Namespace, signed: _SignedStatements | None) -> Report:
    """Raises OSError."""
    paths = {int(path.stem): path for path in folder.glob(f"*{SEGMENT}") if path.stem.isdecimal()}
    ordinals = _select_segments(paths, options.begin, options.end)
    verification = Verification(
        options.holds, signed.statements if signed else None,
        after=_find_previous_end(paths, ordinals[0]) if options.begin and ordinals else None,
        to_the_end=options.end is None,
    )  # fmt: skip
    for number, ordinal in enumerate(ordinals, 1):
        _show_progress(f"{folder.name!a}: segment {number} of {len(ordinals)}")
        verification.segment(ordinal)
        with paths[ordinal].open("rb") as lines:
            verification.feed(lines)
    _show_progress("")
    report = verification.report()
    if signed and signed.unreadable:
        words = f"{signed.unreadable} lines among the statements are not signed by any of the keys"
        return replace(report, findings=(*report.findings, Finding(Fault.ALTERED, 0, 0, 0, words)))
    return report


def _show_progress(words: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)


def _select_segments(paths: dict[int, Path], begin: int | None, end: int | None) -> list[int]:
    """Returns the numbers of the segments that were written between two times, microseconds since 1970."""
    ordinals = sorted(paths)
    started = {ordinal: _started_us(paths[ordinal]) for ordinal in ordinals} if begin or end else {}
    first = max((each for each in ordinals if begin and started[each] <= begin), default=0)
    return [each for each in ordinals if each >= first and (end is None or started[each] <= end)]


def _started_us(path: Path) -> int:
    """Returns when a segment began, microseconds since 1970; 0 if its header cannot be read.

    0 puts it into every range, so that the verification reports it.
    """
    with path.open("rb") as lines:
        try:
            return int(read_header(lines.readline()).started_us)
        except (DamagedSegment, TypeError, ValueError):
            return 0


def _find_previous_end(paths: dict[int, Path], first: int) -> TranscriptEnd | None:
    """Returns where the segment before `first` ends; if it is missing or damaged, where `first` says that it begins."""
    if path := paths.get(first - 1):
        with suppress(DamagedSegment):
            return replace(_read_segment_end(path, first - 1), ordinal=first)
    with suppress(DamagedSegment), paths[first].open("rb") as lines:
        header = read_header(lines.readline())
        return TranscriptEnd(first, offset=header.offset, hash=header.previous)
    return None


def _read_segment_end(path: Path, ordinal: int) -> TranscriptEnd:
    """Raises DamagedSegment."""
    with path.open("rb") as content:
        head = content.readline()
        length = content.seek(0, 2)
        content.seek(max(0, length - _TAIL_BYTES))
        return read_end(ordinal, length, 0, head, content.read())


def _format_text(folder: Path, report: Report) -> str:
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


def _to_json(folder: Path, report: Report) -> dict[str, Any]:
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
