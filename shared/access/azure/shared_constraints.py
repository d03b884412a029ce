"""Azure's constraints for live sessions: one call reads the switch of a subscription, one reads all its ports.

A switch that the service may not read counts as on: Azure itself closes a connection that it has switched off.
Locks are not read: they keep a console from opening, and do not end an open one.
"""

import asyncio
from typing import Any

from azure.core.exceptions import HttpResponseError

from shared.access.azure.shared_questions import SharedQuestions
from shared.access.checks import AzureConstraints
from shared.access.diagnostics_account import DiagnosticsAccount, NoDiagnosticsAccount
from shared.access.ports import ConstraintsOfVms
from shared.base.in_time import in_time
from shared.base.ports import Dependency, Unavailable
from shared.base.ttl_cache import TtlCache
from shared.base.vm import VmId

_CONSOLE = "2023-01-01"
_PORT = "/providers/microsoft.serialconsole/serialports/0"


class ArmSharedConstraints:
    def __init__(self, exact: ConstraintsOfVms, questions: SharedQuestions) -> None:
        """`exact` caches its answers for equally long. They are the same for all VMs that share an account."""
        self._exact, self._questions = exact, questions
        self._switches: TtlCache[bool] = TtlCache(questions.seconds, questions.clock)
        self._ports: TtlCache[frozenset[str]] = TtlCache(questions.seconds, questions.clock)

    async def of(self, vm: VmId, *, fresh: bool = False) -> AzureConstraints:  # noqa: ARG002 - as old as is shared
        subscription = vm.subscription.lower()
        async with in_time(Dependency.ARM):
            enabled, closed = await asyncio.gather(
                self._switches.get(subscription, lambda: self._enabled(subscription)),
                self._ports.get(subscription, lambda: self._closed(subscription)),
            )
        return AzureConstraints(None, enabled, vm.console not in closed)

    async def account(self, name: str, near: VmId, *, fresh: bool = False) -> DiagnosticsAccount | NoDiagnosticsAccount:  # noqa: ARG002
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
        """Returns the consoles of VMs whose port is disabled. A port that is not listed is enabled."""
        path = f"/subscriptions/{subscription}/providers/Microsoft.SerialConsole/serialPorts"
        try:
            async with self._questions.about(subscription):
                ports = await self._questions.service.ask_all(path, _CONSOLE)
            return frozenset(_owner(each) for each in ports if each["properties"]["state"] == "disabled")
        except HttpResponseError:
            return frozenset()
        except (KeyError, TypeError, AttributeError) as error:
            raise Unavailable(Dependency.ARM, "its answer cannot be read") from error


def _owner(port: Any) -> str:
    return str(port["id"]).lower().removesuffix(_PORT)
