"""Converts a request for approval to and from the JSON that the task hub stores. It never holds a token."""

from dataclasses import asdict
from typing import Any

from shared.access.approval import Approval, State
from shared.access.rights import Right
from shared.base.vm import VmId


def approval_to_json(approval: Approval) -> dict[str, Any]:
    return {**asdict(approval), "vm": approval.vm.resource_id}


def approval_from_json(stored: dict[str, Any]) -> Approval:
    kinds = {"vm": VmId.parse(stored["vm"]), "right": Right(stored["right"]), "state": State(stored["state"])}
    return Approval(**{**stored, **kinds})
