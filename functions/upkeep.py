"""Every five minutes: the index, signed checkpoints, what retention drops."""

import logging

import azure.functions as func

from shared import wiring
from shared.flows.keep_ring import keep_ring

bp = func.Blueprint()  # type: ignore[no-untyped-call]  # the library leaves it untyped
_log = logging.getLogger(__name__)


@bp.timer_trigger(arg_name="timer", schedule="0 */5 * * * *")
async def keep_archive(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    kept = await keep_ring(wiring.archive())
    _log.info(
        "upkeep: %d consoles, %d checkpoints signed, %d segments dropped, %d consoles held, %d left for the next run",
        kept.consoles, kept.signed, kept.dropped, kept.held, len(kept.failed),
    )  # fmt: skip
    for console in kept.damaged:
        _log.error("%s: the newest segment does not end as one; python -m shared.verify tells more", console)
