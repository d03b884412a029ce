"""Boot logs and screenshots through Microsoft's SDK and a signed address, against the stand-in of ARM."""

from types import SimpleNamespace
from typing import Any

import pytest

from dev.arm.world import Lock
from dev.demo import ADA, ALAN, GRACE, SUBSCRIPTION, Person
from shared.access.azure import boot_logs
from shared.access.ports import BootLog, Picture
from shared.base.ports import Trouble, Unavailable
from shared.base.refusals import Code, Refusal
from shared.base.vm import VmId
from tests.contract.arm import Arm, vm


async def test_the_log_is_the_end_of_what_the_machine_printed(arm: Arm) -> None:
    ada = arm.user(ADA)
    assert await arm.boot_logs.log(ada, vm("web-01"), 1000) == BootLog(b"web-01 booted\r\n", 0)
    assert await arm.boot_logs.log(ada, vm("web-01"), 8) == BootLog(b"booted\r\n", 7)


async def test_an_instance_of_a_scale_set_has_one_too(arm: Arm) -> None:
    found = await arm.boot_logs.log(arm.user(ADA), VmId(SUBSCRIPTION, "rg-web", "0", "workers"), 1000)
    assert isinstance(found, BootLog)
    assert found.content.endswith(b"booted\r\n")


async def test_the_screenshot_is_a_picture_of_its_kind(arm: Arm) -> None:
    found = await arm.boot_logs.screenshot(arm.user(ADA), vm("web-01"))
    assert isinstance(found, Picture)
    assert (found.media, found.content[:2]) == ("image/bmp", b"BM")


@pytest.mark.parametrize(
    ("who", "name", "of", "code"),
    [
        (ADA, "web-03", "rg-web", Code.BOOT_DIAGNOSTICS_DISABLED),
        (ADA, "web-99", "rg-web", Code.VM_NOT_FOUND),
        (ALAN, "web-01", "rg-web", Code.TRANSCRIPT_PERMISSION_DENIED),
        (GRACE, "db-01", "rg-data", Code.TRANSCRIPT_PERMISSION_DENIED),
        (ADA, "db-01", "rg-data", Code.BOOT_LOG_NOT_FOUND),
    ],
)
async def test_what_cannot_be_had_is_said(arm: Arm, who: Person, name: str, of: str, code: Code) -> None:
    found = await arm.boot_logs.log(arm.user(who), vm(name, of), 1000)
    assert isinstance(found, Refusal)
    assert found.code is code


async def test_a_read_only_lock_is_not_told_as_diagnostics_that_are_off(arm: Arm) -> None:
    arm.world.locks = (Lock("keep", vm("web-01").group_id),)
    found = await arm.boot_logs.log(arm.user(ADA), vm("web-01"), 9)
    assert isinstance(found, Refusal)
    assert found.code is Code.RESOURCE_LOCKED


async def test_storage_that_says_nothing_is_silent(arm: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: Any, **__: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(arm.http.session, "_request", silent)
    with pytest.raises(Unavailable) as caught:
        await arm.boot_logs.log(arm.user(ADA), vm("web-01"), 9)
    assert (caught.value.what, caught.value.trouble) == ("boot diagnostics", Trouble.SILENT)


async def test_an_address_that_does_not_open_is_unavailable_and_stays_secret(arm: Arm) -> None:
    arm.world.links = _Closed()
    for reading in (
        arm.boot_logs.log(arm.user(ADA), vm("web-01"), 9),
        arm.boot_logs.screenshot(arm.user(ADA), vm("web-01")),
    ):
        with pytest.raises(Unavailable) as caught:
            await reading
        assert str(caught.value) == "boot diagnostics: its storage answered 403"


class _Closed(dict[str, str]):
    """Signatures that open nothing."""

    def __setitem__(self, key: str, value: str) -> None:
        pass


@pytest.mark.parametrize("address", [None, "", "http://insecure/log?sig=x"])
async def test_what_is_no_safe_address_is_not_followed(
    arm: Arm, address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def retrieved(*_: Any) -> SimpleNamespace:
        return SimpleNamespace(serial_console_log_blob_uri=address, console_screenshot_blob_uri=address)

    monkeypatch.setattr(boot_logs, "_retrieved", retrieved)
    for found in (
        await arm.boot_logs.log(arm.user(ADA), vm("web-01"), 9),
        await arm.boot_logs.screenshot(arm.user(ADA), vm("web-01")),
    ):
        assert isinstance(found, Refusal)
        assert found.code is Code.BOOT_LOG_NOT_FOUND


async def test_storage_that_does_not_answer_is_unavailable_and_the_address_stays_secret(
    arm: Arm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def retrieved(*_: Any) -> SimpleNamespace:
        away = "https://localhost:1/log?sig=secret"
        return SimpleNamespace(serial_console_log_blob_uri=away, console_screenshot_blob_uri=away)

    monkeypatch.setattr(boot_logs, "_retrieved", retrieved)
    for reading in (
        arm.boot_logs.log(arm.user(ADA), vm("web-01"), 9),
        arm.boot_logs.screenshot(arm.user(ADA), vm("web-01")),
    ):
        with pytest.raises(Unavailable) as caught:
            await reading
        assert "secret" not in repr(caught.value)
        assert caught.value.__suppress_context__
