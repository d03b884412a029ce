"""The record that an auditor trusts: listed, signed, verified far from the service; and what damage does to it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from azure.storage.blob import ContainerClient

from dev import demo
from dev.parts import storage
from dev.stack import HOST_KEY, ROOT, Port
from tests.e2e.local_stack import LocalStack, recorded_as, until
from tests.e2e.person import SignedIn
from tests.patience import PATIENCE

WEB_01 = demo.VIRTUAL_MACHINES[0]
HERE = f"{WEB_01.id}/serialConsole"


def keep(stack: LocalStack) -> None:
    """Upkeep now, as an operator of the function app would start it."""
    fired = httpx.post(
        f"{stack.stack.http(Port.FUNCTIONS)}/admin/functions/keep_archive",
        json={"input": ""},
        headers={"x-functions-key": HOST_KEY},
        timeout=PATIENCE,
    )
    assert fired.status_code == 202, fired.text


def download(stack: LocalStack, folder: Path) -> None:
    """The container of transcripts, with whatever tool an auditor has."""
    with ContainerClient.from_connection_string(storage(stack.stack), "transcripts") as container:
        for name in container.list_blob_names(name_starts_with=WEB_01.id.strip("/").lower()):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(container.download_blob(name).readall())


def verify(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    told = [sys.executable, "-m", "shared.verify", str(folder), *more]
    return subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def recorded(stack: LocalStack, ada: SignedIn) -> str:
    """A visit that is archived and signed; its session."""
    with ada.open(WEB_01) as console:
        console.log_in()
        console.run("echo for the auditor")
        session: str = console.session["id"]
    until(lambda: b"for the auditor" in ada.transcript(WEB_01), "the visit is archived")
    until(lambda: recorded_as(ada.transcript(WEB_01), stack.printed(WEB_01)), "all is archived")
    keep(stack)
    until(lambda: bool(ada.get(f"{HERE}/checkpoints").json()["value"]), "a checkpoint is signed")
    return session


def test_a_recording_says_who_was_there(ada: SignedIn, recorded: str) -> None:
    found = ada.get(f"{HERE}/recordings").json()
    assert found["complete"]
    people = [person for each in found["value"] for person in each["people"]]
    assert [person["name"] for person in people if person["session"] == recorded] == ["Ada Lovelace"]
    assert found["value"][-1]["end"] == len(ada.transcript(WEB_01))
    assert [each["start"] for each in found["value"][1:]] == [each["end"] for each in found["value"][:-1]]


def spoil(segment: Path) -> None:
    """Another letter in something printed; how words fall into records is the machine's affair."""
    text, changed = re.subn(
        rb'("o",\s*"[^"\\]*?)([a-y])', lambda found: found[1] + bytes([found[2][0] + 1]), segment.read_bytes(), count=1
    )
    assert changed
    segment.write_bytes(text)


def test_what_is_downloaded_verifies_offline_and_a_damage_does_not(
    stack: LocalStack, ada: SignedIn, recorded: str, tmp_path: Path
) -> None:
    assert recorded
    said = ada.get(f"{HERE}/transcript/verification").json()
    assert (said["complete"], said["findings"], said["next"]) == (True, [], None)
    assert said["signed"]["offset"] > 0
    download(stack, tmp_path / "transcripts")
    (tmp_path / "checkpoints.json").write_text(ada.get(f"{HERE}/checkpoints").text)
    signed = ("--statements", str(tmp_path / "checkpoints.json"), "--keys", str(tmp_path / "checkpoints.json"))
    whole = verify(tmp_path / "transcripts", *signed, "--json")
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert json.loads(whole.stdout)["signed"]["offset"] >= said["signed"]["offset"]
    spoil(min((tmp_path / "transcripts").rglob("*.cast")))
    damaged = verify(tmp_path / "transcripts", *signed)
    assert damaged.returncode == 1
    assert "altered" in damaged.stdout


def test_a_hold_is_signed_and_shown_to_readers(ada: SignedIn) -> None:
    placed = ada.api.put(f"{HERE}/hold", json={"reason": "case 12"})
    assert placed.status_code == 200, placed.text
    assert ada.get(f"{HERE}/recordings").json()["hold"]["reason"] == "case 12"
    assert ada.api.delete(f"{HERE}/hold").status_code == 204
    assert ada.get(f"{HERE}/recordings").json()["hold"] is None


def test_a_visit_is_read_by_time_session_and_words(ada: SignedIn, recorded: str) -> None:
    """What docs/transcripts.md promises, through the front door."""
    transcript = f"{HERE}/transcript"
    visit = ada.get(transcript, format="text", session=recorded)
    assert visit.status_code == 200, visit.text
    assert visit.headers["content-type"] == "text/plain; charset=utf-8"
    assert "\nfor the auditor\n" in visit.text
    assert "\x1b" not in visit.text
    found = ada.get(f"{transcript}/search", q="FOR THE AUDITOR", context=1).json()
    hit = found["value"][-1]
    assert "for the auditor" in hit["match"]
    assert hit["recording"] in {each["id"] for each in ada.get(f"{HERE}/recordings").json()["value"]}
    everything = ada.transcript(WEB_01)
    part = ada.api.get(transcript, headers={"Range": f"bytes={hit['offset']}-{hit['offset'] + 9}"})
    assert (part.status_code, part.content) == (206, everything[hit["offset"] : hit["offset"] + 10])
    cast = ada.get(transcript, format="cast", recording=hit["recording"])
    assert json.loads(cast.text.splitlines()[0])["version"] == 2
    whats = [each["what"] for each in ada.get(f"{transcript}/reads").json()["value"]]
    assert "search" in whats
    assert f"format=text session={recorded}" in whats


def test_who_waits_at_the_end_sees_what_is_printed_next(stack: LocalStack, ada: SignedIn) -> None:
    transcript = f"{HERE}/transcript"
    with ada.open(WEB_01) as console:
        console.log_in()
        console.run("echo before")
        until(lambda: recorded_as(ada.transcript(WEB_01), stack.printed(WEB_01)), "all is archived")
        end = len(ada.transcript(WEB_01))
        console.type("echo afterwards\r")
        seen = ""
        while "\nafterwards\n" not in seen:
            answer = ada.get(transcript, format="text", offset=end, wait=20)
            assert answer.headers["x-console-offset-start"] == str(end), "no gap, no repeat"
            seen, end = seen + answer.text, int(answer.headers["x-console-offset-next"])
