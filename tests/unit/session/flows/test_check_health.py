import asyncio
from dataclasses import replace

import pytest

from shared.base.ports import Dependency, Unavailable
from shared.session.flows import check_health as flow
from shared.session.flows.check_health import check_health
from tests.fakes import FakeDependencies


async def test_every_dependency_is_asked_at_once_and_none_breaks_the_report(
    fakes: FakeDependencies, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = asyncio.Barrier(4)

    async def well() -> None:
        await together.wait()

    async def away() -> None:
        await together.wait()
        raise Unavailable(Dependency.ARM, "answered 500 at a secret address")

    async def broken() -> None:
        await together.wait()
        raise ValueError("a secret")

    async def silent() -> None:
        await together.wait()
        await asyncio.Event().wait()

    monkeypatch.setattr(flow, "PROBE_SECONDS", 0.05)
    probes = {"a": well, "b": away, "c": broken, "d": silent}
    report = {each.name: each for each in await check_health(replace(fakes.dependencies, probes=probes))}
    assert [report[name].healthy for name in "abcd"] == [True, False, False, False]
    assert report["b"].detail == "does not answer"
    assert report["c"].detail == "ValueError"
    assert report["d"].detail == "no answer within 0.05 s"
