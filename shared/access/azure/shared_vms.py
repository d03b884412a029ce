"""Reads the VMs of live sessions, from lists of a whole subscription or scale set if that takes fewer calls.

A VM that is missing from a list is read by its id before its session ends.
"""

from dataclasses import dataclass, field
from typing import Any

from azure.core.exceptions import HttpResponseError

from shared.access.azure.arm_pages import list_pages
from shared.access.azure.shared_questions import SharedQuestions
from shared.access.azure.vms import described
from shared.access.ports import Visible, Vms
from shared.base.azure_troubles import not_allowed
from shared.base.caller import Caller
from shared.base.in_time import in_time
from shared.base.ports import Dependency
from shared.base.refusals import Refusal
from shared.base.ttl_cache import TtlCache
from shared.base.vm import Vm, VmId


@dataclass(slots=True)
class _VmPlace:
    """The calls that a subscription or a scale set has caused."""

    asked_at: dict[str, float] = field(default_factory=dict)
    """When each of its VMs was last needed, by console."""
    pages: int = 1
    """Pages of its last list."""


class ArmSharedVms:
    def __init__(self, exact: Vms, questions: SharedQuestions) -> None:
        self._exact, self._questions = exact, questions
        self._lists: TtlCache[dict[str, Vm]] = TtlCache(questions.seconds, questions.clock)
        self._places: dict[str, _VmPlace] = {}

    async def find(self, caller: Caller, vm: VmId) -> Vm | Refusal:
        key = _place(vm)
        place = self._places.setdefault(key, _VmPlace())
        if self._list_costs_less(place, vm) and (listed_vm := (await self._listed(key, place, vm)).get(vm.console)):
            return listed_vm
        async with self._questions.about(vm.subscription.lower()):
            return await self._exact.find(caller, vm)

    async def visible(self, caller: Caller) -> Visible | Refusal:
        return await self._exact.visible(caller)

    def _list_costs_less(self, place: _VmPlace, vm: VmId) -> bool:
        """Returns True if a list, read every few seconds, takes fewer calls than one for each VM and period."""
        now = self._questions.clock.now()
        place.asked_at[vm.console] = now
        for gone in [each for each, at in place.asked_at.items() if now - at > 2 * self._questions.period]:
            del place.asked_at[gone]
        return len(place.asked_at) * self._questions.seconds > place.pages * self._questions.period

    async def _listed(self, key: str, place: _VmPlace, vm: VmId) -> dict[str, Vm]:
        async with in_time(Dependency.ARM):
            return await self._lists.get(key, lambda: self._list(place, vm))

    async def _list(self, place: _VmPlace, vm: VmId) -> dict[str, Vm]:
        try:
            async with self._questions.about(vm.subscription.lower()):
                listed = await self._all(vm)
        except HttpResponseError as error:
            raise not_allowed(error, "list VMs") from error
        place.pages = len(listed)
        return {each.id.console: each for page in listed for model in page if (each := described(model))}

    async def _all(self, vm: VmId) -> list[list[Any]]:
        compute = self._questions.service.compute(vm.subscription)
        if vm.scale_set:
            return await list_pages(compute.virtual_machine_scale_set_vms.list, vm.group, vm.scale_set)
        return await list_pages(compute.virtual_machines.list_all)


def _place(vm: VmId) -> str:
    return vm.console.rpartition("/virtualmachines/")[0] if vm.scale_set else vm.subscription.lower()
