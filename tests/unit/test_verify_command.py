"""What an auditor reads, and the exit status that a script reads."""

import json
from pathlib import Path

import pytest

from shared.session.keys.pem_key_ring import PemKeyRing
from shared.transcript.keys.statement_keys import StatementSigner
from shared.verify import main
from tests.signing import at_once, new_pem
from tests.unit.transcript.test_verification import CONSOLE, WHOLE, checkpoint, verified


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A console's segments as they lie in the container."""
    console = tmp_path / "transcripts" / "web-01"
    console.mkdir(parents=True)
    for ordinal, lines in WHOLE.items():
        (console / f"{ordinal:08d}.cast").write_bytes(b"".join(lines))
    return console


def test_a_complete_transcript_is_said_to_be(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder.parent)]) == 0
    told = capsys.readouterr().out
    assert f"{CONSOLE!r}: complete" in told
    assert f"bytes 0 to 54 in {len(WHOLE)} segments, hash {verified(WHOLE).hash.hex()}" in told


def test_a_damage_is_named_with_its_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "00000001.cast"
    path.write_bytes(path.read_bytes().replace(b"line 02", b"line 99"))
    assert main([str(folder)]) == 1
    assert "altered: the 3 lines of this append are not those that were hashed (segment 1, line 4," in (
        capsys.readouterr().out
    )


def test_scripts_get_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "00000001.cast").unlink()
    assert main([str(folder), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["complete"], said["console"], said["findings"][0]["fault"]) == (False, CONSOLE, "missing")


def test_a_hash_that_was_noted_proves_that_nothing_was_cut_off_since(folder: Path) -> None:
    noted = verified(WHOLE).hash.hex()
    assert main([str(folder), "--holds", noted]) == 0
    (folder / f"{max(WHOLE):08d}.cast").unlink()
    assert main([str(folder)]) == 0
    assert main([str(folder), "--holds", noted]) == 1


def test_a_folder_without_segments_is_no_complete_transcript(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 2
    assert "no segments" in capsys.readouterr().err


def test_a_noted_hash_is_of_one_console(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = folder.parent / "web-02"
    other.mkdir()
    (other / "00000000.cast").write_bytes(b"".join(WHOLE[0]))
    assert main([str(folder.parent), "--holds", "00" * 32]) == 2
    assert "name its own folder" in capsys.readouterr().err


def test_what_cannot_be_read_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "00000009.cast").mkdir()
    assert main([str(folder)]) == 2
    assert "00000009.cast" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "12", "zz" * 32])
def test_what_is_no_hash_is_refused(folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main([str(folder), "--holds", text])
    assert refused.value.code == 2
    assert "64 hexadecimal digits" in capsys.readouterr().err


@pytest.fixture
def signer() -> StatementSigner:
    return StatementSigner(PemKeyRing(new_pem(), "STATEMENT_KEY"), "https://service")


@pytest.fixture
def keys(signer: StatementSigner, tmp_path: Path) -> str:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(at_once(signer.reader()).jwks))
    return str(path)


@pytest.fixture
def statements(signer: StatementSigner, tmp_path: Path) -> Path:
    """The container checkpoints, downloaded: the whole transcript was signed."""
    month = tmp_path / "checkpoints" / "web-01" / "2026-11.jws"
    month.parent.mkdir(parents=True)
    month.write_text("".join(f"{at_once(signer.sign(checkpoint(ordinal)))}\n" for ordinal in WHOLE))
    return month


def test_what_was_signed_proves_that_nothing_was_cut_off(
    folder: Path, statements: Path, keys: str, capsys: pytest.CaptureFixture[str]
) -> None:
    held = ["--statements", str(statements.parent), "--keys", keys]
    assert main([str(folder), *held]) == 0
    assert f"signed by the service up to byte 54, at 1970-01-01T00:01:4{max(WHOLE)}+00:00" in capsys.readouterr().out
    (folder / f"{max(WHOLE):08d}.cast").unlink()
    assert main([str(folder), *held]) == 1
    assert "missing: bytes up to 54, which were there when signed" in capsys.readouterr().out


def test_pages_of_the_apis_answer_count_only_with_their_last_one(
    folder: Path, statements: Path, keys: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, pages = statements.read_text().splitlines(), statements.parent / "pages"
    statements.unlink()
    pages.mkdir()
    (pages / "1.json").write_text(json.dumps({"value": lines[:1], "next": "2026-11.5", "keys": []}))
    for place in (pages, pages / "1.json"):
        assert main([str(folder), "--statements", str(place), "--keys", keys]) == 2
        assert "the last page of the answers is not there" in capsys.readouterr().err
    (pages / "2.json").write_text(json.dumps({"value": lines[1:], "next": None, "keys": []}))
    (pages / "keys.json").write_text(json.dumps({"keys": []}))
    assert main([str(folder), "--statements", str(pages), "--keys", keys, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["signed"]


@pytest.mark.parametrize("form", ["answer", "lines"])
def test_statements_may_be_the_apis_answer_or_a_file_of_lines(
    form: str, folder: Path, statements: Path, keys: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if form == "answer":
        statements.write_text(json.dumps({"value": statements.read_text().splitlines(), "keys": []}))
    assert main([str(folder), "--statements", str(statements), "--keys", keys, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["signed"]["offset"] == 54


def test_a_statement_that_none_of_the_keys_signed_is_a_finding(
    folder: Path, statements: Path, keys: str, capsys: pytest.CaptureFixture[str]
) -> None:
    statements.write_text(f"{statements.read_text()}forged\n")
    assert main([str(folder), "--statements", str(statements), "--keys", keys]) == 1
    assert "1 lines among the statements are not signed by any of the keys" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "{", "[]", '{"keys":[{}]}'])
def test_keys_that_are_none_are_no_way_to_begin(
    text: str, folder: Path, statements: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.json").write_text(text)
    assert main([str(folder), "--statements", str(statements), "--keys", str(tmp_path / "bad.json")]) == 2
    assert "cannot use the keys" in capsys.readouterr().err


def test_keys_that_are_not_there_are_no_way_to_begin(
    folder: Path, statements: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder), "--statements", str(statements), "--keys", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


def test_statements_without_keys_are_refused(folder: Path) -> None:
    with pytest.raises(SystemExit) as refused:
        main([str(folder), "--statements", str(folder)])
    assert refused.value.code == 2


def test_a_range_of_time_is_verified_by_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The test's records are microseconds apart; segments begin at 1, 5 and 9."""
    spoilt = folder / "00000002.cast"
    spoilt.write_bytes(spoilt.read_bytes().replace(b"line", b"lime"))
    begin, end = "1970-01-01T00:00:00.000006Z", "1970-01-01T00:00:00.000006"
    assert main([str(folder), "--from", begin, "--to", end]) == 0
    assert "bytes 18 to 36 in 1 segments" in capsys.readouterr().out
    assert main([str(folder), "--from", begin]) == 1
    assert main([str(folder), "--to", end]) == 0


@pytest.mark.parametrize("torn", [True, False])
def test_a_range_behind_a_segment_that_is_torn_or_gone_begins_by_itself(folder: Path, *, torn: bool) -> None:
    before = folder / "00000000.cast"
    if torn:
        before.write_bytes(b"{}\n")
    else:
        before.unlink()
    assert main([str(folder), "--from", "1970-01-01T00:00:00.000006Z"]) == 0


def test_a_time_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(SystemExit) as refused:
        main([str(folder), "--from", "yesterday"])
    assert refused.value.code == 2
