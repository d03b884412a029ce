"""ARM as it fails: what is told of it, how soon, and that no list is taken for empty. Through Microsoft's SDKs."""

from collections import Counter
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from dev.arm.faults import Fault
from dev.arm.throttle import Throttle
from dev.demo import ADA, AUTOMATION, GRACE, OTHER_SUBSCRIPTION, SUBSCRIPTION
from shared.access.azure.arm_clients import asking_arm
from shared.access.azure.vms import ArmVms
from shared.access.commands import Command
from shared.access.ports import Visible
from shared.access.rights import DEFAULT, Right, on_vm
from shared.base import azure_troubles
from shared.base.ports import Trouble, Unavailable
from shared.base.refusals import Refusal
from tests.contract.arm import Arm, application, vm
from tests.dev.local_azure import LocalAzure

WEB = vm("web-01")
FOR_EVER = 1 << 30
MODELS, STATES = r"virtualMachines\?(?!.*statusOnly)", "virtualMachines.*statusOnly"
LATER = r"virtualMachines\?.*skiptoken"
HERE = f"subscriptions/{SUBSCRIPTION}/"


async def asks(arm: Arm) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Everything that is asked of ARM."""
    user, actions = arm.user(GRACE), on_vm(DEFAULT, Right.WRITE, WEB)
    return {
        "list": lambda: arm.vms.visible(user),
        "vm": lambda: arm.vms.find(user, WEB),
        "a user's rights": lambda: arm.rights.missing(user, WEB.resource_id, actions),
        "an application's": lambda: arm.rights.missing(application(AUTOMATION), WEB.resource_id, actions),
        "around": lambda: arm.around.of(WEB),
        "account": lambda: arm.around.account("stcontosodiag", WEB),
        "remains": lambda: arm.around.remains(WEB),
        "power": lambda: arm.power.do(user, WEB, Command.RESTART),
        "boot log": lambda: arm.boot_logs.log(user, WEB, 100),
    }


async def trouble(ask: Callable[[], Awaitable[Any]]) -> Unavailable:
    """What it raises, or says of the subscription."""
    try:
        answer = await ask()
    except Unavailable as error:
        return error
    assert isinstance(answer, Visible), answer
    assert answer.vms == []
    return answer.unasked[SUBSCRIPTION]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again as often as ever, and sooner."""
    monkeypatch.setattr(azure_troubles, "BACKOFF_SECONDS", 0.01)


FAULTS = {
    "429": (Fault(status=429, code="TooManyRequests", retry_after="37"), Trouble.THROTTLED, 37),
    "429 without a number": (Fault(status=429), Trouble.THROTTLED, azure_troubles.THROTTLED_SECONDS),
    "500": (Fault(status=500, code="InternalServerError"), Trouble.AWAY, None),
    "502 of a proxy": (Fault(status=502, raw="<html>Bad Gateway</html>"), Trouble.AWAY, None),
    "503 with a number": (Fault(status=503, retry_after="44"), Trouble.AWAY, 44),
    "504": (Fault(status=504, code="GatewayTimeout"), Trouble.AWAY, None),
    "403 of a proxy": (Fault(status=403, raw="<html>Forbidden</html>"), Trouble.AWAY, None),
    "404 of a proxy": (Fault(status=404, raw="<html>Not Found</html>"), Trouble.AWAY, None),
    "a page of a proxy": (Fault(status=200, raw="<html>Sign in</html>"), Trouble.AWAY, None),
    "cut before the answer": (Fault(cut="before"), Trouble.AWAY, None),
    "cut within it": (Fault(cut="within"), Trouble.AWAY, None),
}


def most_questions(fault: Fault) -> int:
    """At one address: two lists are there, and three tries where another may mend it, of which the transport makes two
    each where a kept connection ends before the answer.
    """
    mended = fault.cut or (fault.status >= 500 and not fault.retry_after)
    return 2 * (3 if mended else 1) * (2 if fault.cut == "before" else 1)


@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_is_asked_arm_that_fails_is_told_as_it_fails(arm: Arm, fault: str) -> None:
    order, kind, after = FAULTS[fault]
    found = {}
    for name, ask in (await asks(arm)).items():
        if (name, fault) == ("power", "a page of a proxy"):  # its answer has no body that anybody reads
            continue
        arm.world.faults = [Fault(**{**vars(order), "match": "/subscriptions/", "count": FOR_EVER})]
        arm.world.asked.clear()
        error = await trouble(ask)
        assert max(Counter(arm.world.asked).values()) <= most_questions(order), name
        found[name] = error.what, error.trouble, error.retry_after
    assert found == dict.fromkeys(found, ("arm", kind, after))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("page", [MODELS, STATES, LATER], ids=["models", "states", "later page"])
async def test_a_list_of_which_any_page_fails_is_no_list(arm: Arm, page: str, fault: str) -> None:
    arm.world.page_size = 3
    arm.world.faults = [Fault(**{**vars(FAULTS[fault][0]), "match": page, "count": FOR_EVER})]
    error = await trouble(lambda: arm.vms.visible(arm.user(GRACE)))
    assert (error.trouble, error.retry_after) == FAULTS[fault][1:]


@pytest.mark.parametrize("status", [403, 404])
async def test_only_a_no_to_the_first_page_means_that_there_is_nothing(arm: Arm, status: int) -> None:
    arm.world.page_size = 3
    arm.world.faults = [Fault(status=status, code="AuthorizationFailed", match=HERE, count=FOR_EVER)]
    assert await arm.vms.visible(arm.user(GRACE)) == Visible([], {})
    arm.world.faults = [Fault(status=status, code="AuthorizationFailed", match=LATER, count=FOR_EVER)]
    assert "broke off" in str(await trouble(lambda: arm.vms.visible(arm.user(GRACE))))


async def test_a_subscription_that_fails_hides_no_other(azure: LocalAzure) -> None:
    arm = Arm(azure)
    vms = ArmVms(arm.access, [OTHER_SUBSCRIPTION, SUBSCRIPTION])
    arm.world.faults = [Fault(status=503, match=OTHER_SUBSCRIPTION, count=FOR_EVER)]
    found = await vms.visible(arm.user(GRACE))
    assert isinstance(found, Visible)
    assert len(found.vms) > 3
    assert [*found.unasked] == [OTHER_SUBSCRIPTION]
    await arm.close()


@pytest.mark.parametrize("page", ["locks", "storageAccounts"])
async def test_a_lock_or_an_account_on_a_page_that_does_not_come_is_not_taken_for_none(arm: Arm, page: str) -> None:
    arm.world.faults = [Fault(status=200, raw='{"error": "none"}', match=page, count=FOR_EVER)]
    ask = (await asks(arm))["around" if page == "locks" else "account"]
    assert "cannot be read" in str(await trouble(ask))


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=503), Fault(cut="before")])
async def test_what_a_second_try_mends_nobody_hears_of(arm: Arm, fault: Fault) -> None:
    arm.world.faults = [Fault(**{**vars(fault), "match": "/subscriptions/", "count": 1})]
    assert not isinstance(await arm.vms.find(arm.user(GRACE), WEB), Refusal)


async def test_a_throttling_arm_is_asked_once_and_not_waited_for(arm: Arm) -> None:
    arm.world.faults = [Fault(status=429, retry_after="1", match="/subscriptions/", count=FOR_EVER)]
    await arm.access.of(arm.user(GRACE)).credential.get_token("https://management.azure.com/.default")
    arm.world.asked.clear()
    await trouble(lambda: arm.vms.find(arm.user(GRACE), WEB))
    assert len(arm.world.asked) == 1


async def test_a_hanging_arm_is_told_from_a_slow_one_and_asked_once(
    azure: LocalAzure, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm = Arm(azure, read_seconds=3.0)
    user = arm.user(GRACE)
    await arm.vms.find(user, WEB)
    arm.world.asked.clear()
    arm.world.faults = [Fault(hang=60, match="virtualMachines/web-01", count=FOR_EVER)]
    error = await trouble(lambda: arm.vms.find(user, WEB))
    assert (error.what, error.trouble, len(arm.world.asked)) == ("arm", Trouble.SILENT, 1)

    monkeypatch.setattr("shared.base.in_time.OWN_SECONDS", 4.0)
    arm.world.page_size = 1
    arm.world.faults = [Fault(hang=0.8, match=HERE, count=FOR_EVER)]
    error = await trouble(lambda: arm.vms.visible(user))
    assert (error.what, error.trouble) == ("arm", Trouble.SLOW)
    await arm.close()


async def test_the_stand_in_throttles_by_its_buckets_each_principal_for_itself(arm: Arm) -> None:
    arm.world.throttle = Throttle(0.02, now=lambda: 0.0)  # 5 reads, 4 writes, and time stands still
    for _ in range(5):
        assert not isinstance(await arm.vms.find(arm.user(GRACE), WEB), Refusal)
    error = await trouble(lambda: arm.vms.find(arm.user(GRACE), WEB))
    assert (error.trouble, error.retry_after) == (Trouble.THROTTLED, 10)
    assert not isinstance(await arm.vms.find(arm.user(ADA), WEB), Refusal)
    assert await arm.power.do(arm.user(GRACE), WEB, Command.RESTART) is None  # a write


@pytest.mark.parametrize(
    ("named", "date", "seconds"),
    [
        ("7", "", 7),
        ("0", "", 1),
        ("999999", "", azure_troubles.LONGEST_SECONDS),
        ("Tue, 01 Dec 2026 12:00:30 GMT", "Tue, 01 Dec 2026 12:00:00 GMT", 30),
        ("Tue, 01 Dec 2026 12:00:30 GMT", "", None),
        ("soon", "Tue, 01 Dec 2026 12:00:00 GMT", None),
        ("-1", "", None),
        ("\u0663", "", None),
        ("", "", None),
    ],
)
def test_a_time_to_wait_is_read_as_http_has_it(named: str, date: str, seconds: int | None) -> None:
    answer = SimpleNamespace(headers={"Retry-After": named, "Date": date})
    assert azure_troubles.retry_after(answer) == seconds


async def test_a_fault_of_ours_is_no_trouble_of_arm() -> None:
    with pytest.raises(KeyError):
        async with asking_arm():
            raise KeyError("ours")
