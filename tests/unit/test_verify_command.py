"""What an auditor reads, and the exit status that a script reads."""

import json
from pathlib import Path

import pytest

from shared.verify import main
from tests.unit.domain.test_verify import CONSOLE, WHOLE, verified


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
