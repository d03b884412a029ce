"""The Event Hub trigger: writes the records that relays send to the transcripts."""

import logging
from functools import cache
from typing import List  # noqa: UP035 - the worker knows this spelling alone

import azure.functions as func

from shared import wiring
from shared.transcript.flows.archive_records import KnownEnds, archive_records

bp = func.Blueprint()  # type: ignore[no-untyped-call]  # the library leaves it untyped
_log = logging.getLogger(__name__)


@bp.event_hub_message_trigger(
    arg_name="events",
    event_hub_name="%RECORDS_HUB%",
    connection="RECORDS",
    cardinality=func.Cardinality.MANY,
    data_type=func.DataType.BINARY,  # else the host hands bytes over as text, and they do not survive it
    consumer_group="$Default",
)
@bp.retry(
    strategy="exponential_backoff", max_retry_count="-1", minimum_interval="00:00:01", maximum_interval="00:00:30"
)
async def archive(events: List[func.EventHubEvent]) -> None:  # noqa: UP006 - as above
    """Archives one batch of events.

    Raises while the storage is unavailable. The host then does not move the hub's checkpoint and delivers the events
    again, so that none is lost.
    """
    archived = await archive_records([event.get_body() for event in events], wiring.transcripts(), _known_ends())
    for name in archived.aside:
        _log.error("records were set aside in dead-letter/%s: they cannot be read or placed", name)


@cache
def _known_ends() -> KnownEnds:
    return KnownEnds()
