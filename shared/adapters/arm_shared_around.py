"""What is around the VMs of live sessions: the switch of a subscription and its ports, each by one question.

What the service may not read is not known to stand in the way: Azure itself closes a line that it has switched off.
Locks are not asked for: they keep a console from being opened, not from going on.
"""

import asyncio
from typing import Any

from azure.core.exceptions import HttpResponseError

from shared.adapters.arm_shared import SharedQuestions
from shared.adapters.in_time import in_time
from shared.adapters.kept import Kept
from shared.domain.checks import Surroundings
from shared.domain.storage import Account, NoAccount
from shared.domain.vm import VmId
from shared.ports import AroundVms, Dependency, Unavailable

_CONSOLE = "2023-01-01"
_PORT = "/providers/microsoft.serialconsole/serialports/0"


class ArmSharedAround:
    def __init__(self, exact: AroundVms, questions: SharedQuestions) -> None:
        """`exact` keeps its answers for as long: they are the same for all VMs that share an account."""
        self._exact, self._questions = exact, questions
        self._switches: Kept[bool] = Kept(questions.seconds, questions.clock)
        self._ports: Kept[frozenset[str]] = Kept(questions.seconds, questions.clock)

    async def of(self, vm: VmId, *, fresh: bool = False) -> Surroundings:  # noqa: ARG002 - as old as is shared
        subscription = vm.subscription.lower()
        async with in_time(Dependency.ARM):
            enabled, closed = await asyncio.gather(
                self._switches.get(subscription, lambda: self._enabled(subscription)),
                self._ports.get(subscription, lambda: self._closed(subscription)),
            )
        return Surroundings(None, enabled, vm.console not in closed)

    async def account(self, name: str, near: VmId, *, fresh: bool = False) -> Account | NoAccount:  # noqa: ARG002
        return await self._exact.account(name, near)

    async def remains(self, vm: VmId) -> str | None:
        return await self._exact.remains(vm)

    async def _enabled(self, subscription: str) -> bool:
        path = f"/subscriptions/{subscription}/providers/Microsoft.SerialConsole/consoleServices/default"
        try:
            async with self._questions.about(subscription):
                return not (await self._questions.service.ask(path, _CONSOLE))["properties"]["disabled"]
        except HttpResponseError:
            return True
        except (KeyError, TypeError) as error:
            raise Unavailable(Dependency.ARM, "its answer cannot be read") from error

    async def _closed(self, subscription: str) -> frozenset[str]:
        """VMs whose port is disabled. A port that is not listed is enabled."""
        path = f"/subscriptions/{subscription}/providers/Microsoft.SerialConsole/serialPorts"
        try:
            async with self._questions.about(subscription):
                found = await self._questions.service.ask_all(path, _CONSOLE)
            return frozenset(_owner(each) for each in found if each["properties"]["state"] == "disabled")
        except HttpResponseError:
            return frozenset()
        except (KeyError, TypeError, AttributeError) as error:
            raise Unavailable(Dependency.ARM, "its answer cannot be read") from error


def _owner(port: Any) -> str:
    return str(port["id"]).lower().removesuffix(_PORT)
