"""Divides the sessions of a large relay among heartbeats, and reads answers that cover only some consoles.

Every heartbeat names every session, which renews its lease and lets notices reach it. It describes only a share of them
in full, so that they are rechecked with Azure: as many as one answer has room for, the next ones with the next
heartbeat.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.access.recording_settings import RecordingSettings
from shared.base.vm import VmId
from shared.session.grant import Grant, Mode
from shared.session.ports import Beat

SESSIONS = 2000
"""Sessions in full in one heartbeat. With one every 5 s, all of 24,000 are covered within a minute."""


@dataclass(frozen=True, slots=True)
class Share:
    told: Sequence[Grant]
    others: Sequence[Grant]
    keep_after: str

    def to_json(self, again: Mapping[str, int]) -> dict[str, Any]:
        body: dict[str, Any] = {
            "sessions": [{**about(grant), "again": again.get(grant.session, 0)} for grant in self.told]
        }
        if self.others:
            body["others"] = {mode.value: _ids(self.others, mode) for mode in Mode}
        if self.keep_after:
            body["keepAfter"] = self.keep_after
        return body


def about(grant: Grant) -> dict[str, Any]:
    return {
        "vm": grant.vm.resource_id,
        "session": grant.session,
        "generation": grant.generation,
        "mode": grant.mode.value,
    }


def _ids(grants: Sequence[Grant], mode: Mode) -> str:
    return " ".join(grant.session for grant in grants if grant.mode is mode)


class Shares:
    def __init__(self) -> None:
        self._again: dict[str, int] = {}
        """Time of the next recheck of a session, by its id; sent back with the next heartbeat."""
        self._after = ""
        """The last session that was described in full."""
        self._keep_after = ""
        """The console up to which the last answer gave recording settings, if it was cut short."""

    def next(self, live: Sequence[Grant]) -> tuple[Share, dict[str, Any]]:
        """Returns the next share, and the body of its heartbeat."""
        ordered = sorted(live, key=lambda grant: grant.session)
        ordered_from_last = [*(each for each in ordered if each.session > self._after), *ordered]
        in_full = list({each.session: each for each in ordered_from_last[:SESSIONS]}.values())
        named = {each.session for each in in_full}
        share = Share(in_full, [each for each in ordered if each.session not in named], self._keep_after)
        return share, share.to_json(self._again)

    def heard(self, share: Share, answer: Any) -> Beat:
        """Reads an answer; the next share begins where it ends. Raises KeyError, TypeError, ValueError."""
        again = {str(session): int(at) for session, at in (answer.get("again") or {}).items()}
        beat, cut = _beat(share, answer), answer.get("keepTo")
        there = {each.session for each in (*share.told, *share.others)}
        in_full = {each.session for each in share.told}
        self._again = {name: at for name, at in self._again.items() if name in there - in_full} | again
        self._keep_after = str(cut) if cut else ""
        if not cut:
            self._after = share.told[-1].session if share.others else ""
        return beat


def _beat(share: Share, answer: Any) -> Beat:
    endings = [(str(end["session"]), str(end["code"]), str(end["by"] or "")) for end in answer["end"]]
    keep = (
        None
        if answer["keep"] is None
        else {_console(each["vm"]): RecordingSettings.from_json(each) for each in answer["keep"]}
    )
    capture = None if answer["capture"] is None else [VmId.parse(each) for each in answer["capture"]]
    return Beat(endings, keep, capture, _covered(share, capture or (), answer.get("keepTo")))


def _covered(share: Share, capture: Sequence[VmId], cut: str | None) -> frozenset[str] | None:
    """Returns the consoles that the recording settings of an answer cover; None if they cover all."""
    if not (share.others or share.keep_after or cut):
        return None
    consoles = {vm.console for vm in (*(grant.vm for grant in share.told), *capture)}
    return frozenset(each for each in consoles if each > share.keep_after and (not cut or each <= cut))


def _console(address: str) -> str:
    return VmId.parse(address).console
