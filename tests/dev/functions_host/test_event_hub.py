"""The Event Hub trigger over real AMQP and real blobs: the SDKs, the Event Hubs stand-in, and Microsoft's Azurite."""

import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from dev.functions_host.checkpoints import BlobCheckpoints, Checkpoint, blob_name
from dev.functions_host.events import Partition
from tests.dev.event_hubs.stand_in import HUB, StandIn
from tests.dev.event_hubs.stand_in import running as running_hub
from tests.dev.functions_host.host_process import ROOT, HostProcess, running, until
from tests.patience import PATIENCE
from tests.ports import reserve_port

AZURITE = ROOT / "dev" / "azurite" / "node_modules" / ".bin" / "azurite-blob"
AMQP = ROOT / "dev" / "event_hubs" / "node_modules" / "rhea"
ACCOUNT, KEY = (
    "devstoreaccount1",
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
)  # the emulator's own, printed in its documentation
PARTITION = Partition("Namespace", "Records", "$Default", "3")

pytestmark = pytest.mark.skipif(
    not (AZURITE.exists() and AMQP.exists()), reason="dev.prepare has not installed the npm parts"
)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The connection string of an Azurite of our own."""
    port = reserve_port()
    folder = tmp_path_factory.mktemp("azurite")
    options = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)]
    options += ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    with subprocess.Popen([AZURITE, *options], stdout=subprocess.PIPE, text=True) as azurite:
        try:
            assert azurite.stdout
            assert any("successfully listens" in line for line in azurite.stdout)
            blobs = f"BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT}"
            yield f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{blobs};"
        finally:
            azurite.terminate()


@pytest.fixture
def hub() -> Iterator[StandIn]:
    with running_hub() as stand_in:
        yield stand_in


WAIT, EXPIRY = 6.0, 12.0
"""Seconds in tests of what takes 60 and 120 on the real host."""
FAR_TOO_LONG = 2 * PATIENCE
"""Seconds of a wait that no test outlives."""


def pace(factor: float) -> tuple[str, str]:
    return ("--hub-pace", str(factor))


def settings(hub: StandIn, storage: str) -> dict[str, str]:
    return {"SAMPLE_HUB": HUB, "SAMPLE_EVENTHUB": hub.connection_string, "AzureWebJobsStorage": storage}


def bodies(host: HostProcess) -> list[str]:
    return [body for call in host.seen() for body in call["bodies"]]  # type: ignore[attr-defined]  # a list of strings


async def test_a_checkpoint_is_kept_where_the_sdks_look_for_it(storage: str) -> None:
    checkpoints = BlobCheckpoints(storage)
    assert await checkpoints.read(PARTITION) is None
    for number in (1, 2):
        await checkpoints.write(PARTITION, Checkpoint(number, f"offset {number}"))
    assert await checkpoints.read(PARTITION) == Checkpoint(2, "offset 2")
    assert await checkpoints.read(replace(PARTITION, id="4")) is None
    await checkpoints.close()
    assert blob_name(PARTITION) == "namespace/records/$default/checkpoint/3"


async def test_events_reach_the_function_and_a_restart_goes_on_where_it_was(hub: StandIn, storage: str) -> None:
    await hub.send("a", "b", partition="0")
    with running(settings=settings(hub, storage)) as host:
        until(lambda: bodies(host) == ["a", "b"], host)
        await hub.send("c", partition="1")
        until(lambda: bodies(host) == ["a", "b", "c"], host)
        assert host.end() == 0
    await hub.send("d", partition="0")
    with running(settings=settings(hub, storage)) as host:
        until(lambda: bodies(host) == ["d"], host)
        assert host.seen()[0]["sequence"] == [2]
        assert host.seen()[0]["partition"] == "0"


async def test_a_poison_event_is_retried_then_left_behind(hub: StandIn, storage: str) -> None:
    with running(settings=settings(hub, storage)) as host:
        await hub.send("poison")
        until(lambda: len(host.seen()) == 3, host)
        await hub.send("after")
        until(lambda: len(host.seen()) == 4, host)
        assert [(call["bodies"], call["retry"]) for call in host.seen()] == [
            (["poison"], 0),
            (["poison"], 1),
            (["poison"], 2),
            (["after"], 0),
        ]
        assert "function ingest failed (attempt 3): RuntimeError: poison event" in host.log


async def test_a_connection_that_breaks_without_a_word_is_noticed_when_the_wait_is_over(
    hub: StandIn, storage: str
) -> None:
    with running(settings=settings(hub, storage), extra=pace(WAIT / 60)) as host:
        before = time.monotonic()  # the wait that breaks begins with the event that comes after this
        await hub.send("a")
        until(lambda: bodies(host) == ["a"], host)
        hub.admin("/disconnect", {})
        await hub.send("b")
        until(lambda: bodies(host) == ["a", "b"], host)
        assert time.monotonic() - before > WAIT - 1
        assert "again in" in host.log


async def test_a_reader_that_the_hub_sends_away_is_back_at_once(hub: StandIn, storage: str) -> None:
    with running(settings=settings(hub, storage), extra=pace(FAR_TOO_LONG / 60)) as host:
        await hub.send("a")
        until(lambda: bodies(host) == ["a"], host)
        hub.admin("/detach", {})
        await hub.send("b")
        until(lambda: bodies(host) == ["a", "b"], host)


async def test_half_of_what_a_killed_host_held_waits_until_that_expires(hub: StandIn, storage: str) -> None:
    before = time.monotonic()  # nobody owns a partition yet
    with running(settings=settings(hub, storage), extra=pace(EXPIRY / 120)) as host:
        for partition in ("0", "1"):
            await hub.send("before", partition=partition)
        until(lambda: bodies(host) == ["before"] * 2, host)
        host.end(signal.SIGKILL)
    for partition in ("0", "1"):
        await hub.send("after", partition=partition)
    with running(settings=settings(hub, storage), extra=pace(EXPIRY / 120)) as host:
        until(lambda: len(bodies(host)) == 2, host)
        assert time.monotonic() - before > EXPIRY - 1, "times are whole seconds"
        assert {call["partition"] for call in host.seen()} == {"0", "1"}
        assert bodies(host) == ["after"] * 2


async def test_a_second_host_takes_half_and_no_event_is_told_twice(hub: StandIn, storage: str) -> None:
    both = settings(hub, storage)
    with running(settings=both, extra=pace(0.02)) as first:
        for partition in ("0", "1"):
            await hub.send("before", partition=partition)
        until(lambda: bodies(first) == ["before"] * 2, first)
        with running(settings=both, extra=pace(0.02)) as second:
            until(lambda: "no longer reading" in first.log and "reading partition" in second.log, second)
            for number in range(4):
                await hub.send(f"after {number}", partition=str(number % 2))
            until(lambda: len(bodies(first)) + len(bodies(second)) == 6, second)
            of_first = {call["partition"] for call in first.seen()[2:]}
            of_second = {call["partition"] for call in second.seen()}
            assert of_first | of_second == {"0", "1"}
            assert not of_first & of_second
            assert sorted(bodies(first) + bodies(second)) == sorted(["before"] * 2 + [f"after {n}" for n in range(4)])


async def test_a_host_may_start_before_its_hub(hub: StandIn, storage: str) -> None:
    hub.stop()
    with running(settings=settings(hub, storage)) as host:
        until(lambda: "again in" in host.log, host)
        assert host.get("noop").text == "ok"
        hub.start()
        await hub.send("late")
        until(lambda: bodies(host) == ["late"], host)
