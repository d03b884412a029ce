"""Timers. Every five minutes: index, signed checkpoints, retention. Every hour: removal of old rows."""

import logging

import azure.functions as func

from functions.http.responses import time_text
from shared import wiring
from shared.transcript.flows.apply_retention import RetentionResult, apply_retention
from shared.transcript.flows.list_unended import show_unended_by_heartbeats
from shared.transcript.flows.remove_old_rows import remove_old_rows
from shared.transcript.old_rows import Ages, limits

bp = func.Blueprint()  # type: ignore[no-untyped-call]  # the library leaves it untyped
_log = logging.getLogger(__name__)
_ALERT_SECONDS = 86_400.0
"""Time after a relay's last sign in which its interrupted recordings are logged."""


@bp.timer_trigger(arg_name="timer", schedule="0 */5 * * * *")
async def keep_archive(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Updates the index, signs checkpoints, applies retention and logs interrupted recordings."""
    result = await apply_retention(wiring.archive())
    _log.info(
        "upkeep: %d consoles, %d checkpoints signed, %d segments dropped, %d consoles held, %d left for the next run",
        result.consoles, result.signed, result.dropped, result.held, len(result.failed),
    )  # fmt: skip
    if not result.whole:
        _log.warning("upkeep: there was no time for every console; the next run goes on where this one ended")
    await _log_interrupted(result)
    for console in result.damaged:
        _log.error("%s: the newest segment does not end as one; python -m shared.verify tells more", console)


async def _log_interrupted(result: RetentionResult) -> None:
    """Logs recordings whose relay was last seen within a day. Older ones cannot recover and raise no more alerts."""
    now, interrupted = wiring.clock().now(), 0
    for console, open_ones in result.unended.items():
        states = await show_unended_by_heartbeats(open_ones, wiring.leases(), now)
        for each in open_ones:
            last_sign = states[each.recording.id].last_sign
            if last_sign is not None and now - last_sign < _ALERT_SECONDS:
                interrupted += 1
                _log.warning(
                    "recording interrupted: %s of %s, relay %s, silent since %s",
                    each.recording.id, console, each.recording.relay, time_text(last_sign),
                )  # fmt: skip
    _log.info("recordings interrupted: %d", interrupted)


@bp.timer_trigger(arg_name="timer", schedule="0 7 * * * *")
async def clear_tables(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Removes the rows of every table that are older than their kind allows."""
    settings, clock = wiring.settings(), wiring.clock()
    ages = Ages(settings.session_seconds, settings.session_days, settings.read_days)
    result = await remove_old_rows(wiring.old_rows(), clock, limits(ages, clock.now()))
    removed = ", ".join(f"{kind} {count}" for kind, count in result.removed.items() if count) or "none"
    _log.info("old rows removed: %s; left for the next run: %s", removed, ", ".join(sorted(result.left)) or "none")
