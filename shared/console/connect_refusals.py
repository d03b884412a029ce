"""What Azure means when `connect` of Microsoft.SerialConsole is refused: by its words and its code, never by the status
alone. A 409 may be a stopped VM, one that is being deployed, a lock, a storage account that is not supported, or
another connection; a 403 the account's firewall as well as a right that is missing. The relay asks with the service's
own identity: a right that is missing is the service's, never the caller's.

Sources of the words: MicrosoftDocs/SupportArticles-docs, serial-console-errors.md (07/2025); the preview's page
(MicrosoftDocs/azure-docs, serial-console.md of 2018); microsoft/azserialconsole issues 12 (ScopeLocked, 409), 45 (being
deployed, 400), 53 (Forbidden, 403, of a firewall), 98 (hierarchical namespace, 409).
"""

import re
from dataclasses import dataclass

from shared.base.refusals import Code, Refusal, refuse
from shared.console.gateway_exchange import find_refusal, harmless

_SENTENCES = {
    "hierarchical namespace": Code.BOOT_DIAGNOSTICS_STORAGE_UNSUPPORTED,
    "key based authentication is not permitted": Code.BOOT_DIAGNOSTICS_STORAGE_KEYLESS,
    "boot diagnostic storage account": Code.BOOT_DIAGNOSTICS_STORAGE_FORBIDDEN,
    "permissions to write to the boot diagnostics storage account": Code.SERVICE_NOT_PERMITTED,
    "unable to determine the resource group": Code.STORAGE_RESOURCE_GROUP_UNKNOWN,
    "used for boot diagnostics on this vm could": Code.BOOT_DIAGNOSTICS_STORAGE_NOT_FOUND,
    "boot diagnostics to be enabled": Code.BOOT_DIAGNOSTICS_DISABLED,
    "unable to retrieve boot diagnostics settings": Code.BOOT_DIAGNOSTICS_DISABLED,
    "not enabled for this subscription": Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION,
    "provisioning for this vm": Code.VM_PROVISIONING,
    "stopped deallocated state": Code.VM_NOT_RUNNING,
    "permissions to use this vm": Code.SERVICE_NOT_PERMITTED,
}
"""Parts of sentences that stand in no other, whatever the edition of the page."""
_CODES = {
    "scopelocked": Code.RESOURCE_LOCKED,
    "missingsubscriptionregistration": Code.PROVIDER_NOT_REGISTERED,
    "authorizationfailed": Code.SERVICE_NOT_PERMITTED,
    "linkedauthorizationfailed": Code.SERVICE_NOT_PERMITTED,
    "denyassignmentauthorizationfailed": Code.SERVICE_NOT_PERMITTED,
    "resourcenotfound": Code.VM_NOT_FOUND,
    "resourcegroupnotfound": Code.VM_NOT_FOUND,
    "parentresourcenotfound": Code.VM_NOT_FOUND,
    "subscriptionnotfound": Code.VM_NOT_FOUND,
    "serialportdisabled": Code.SERIAL_PORT_DISABLED,
}
"""ARM's own, in lower case; the last is believed."""
_REASONED = frozenset({400, 403, 404, 409, 412, 422})
"""Statuses by which a request is refused for what it is, and may not be tried again as it stands."""
_ACTION = re.compile(r"perform action '(Microsoft\.[A-Za-z]+/[A-Za-z/]{1,100})'")


@dataclass(frozen=True, slots=True)
class ConnectError:
    """Azure's answer to `connect`. `code` and `text` are empty if it had no envelope of ARM's."""

    status: int
    code: str = ""
    text: str = ""


def refusal_of_connect(error: ConnectError, target: str) -> Refusal | None:
    """Returns the refusal; None if Azure gave no reason, because something broke or something else answered."""
    refusal = find_refusal(error.text, target)
    if refusal is not None:
        return refusal
    lower = error.text.lower()
    code = next((code for sign, code in _SENTENCES.items() if sign in lower), None) or _CODES.get(error.code.lower())
    if code is not None:
        return refuse(code, because=_lacking(error) if code is Code.SERVICE_NOT_PERMITTED else None, target=target)
    if error.status not in _REASONED or not (error.code or error.text):
        return None
    because = f"Azure refused the connection to the VM's serial port: {harmless(error.text or error.code)}"
    return refuse(Code.CONNECT_REFUSED, because=because, target=target)


def _lacking(error: ConnectError) -> str:
    action = _ACTION.search(error.text)
    action_words = f"do {action[1]} on" if action else "open the serial port of"
    return (
        f"The service is not allowed to {action_words} this VM; it is not your permission that is missing. "
        "An administrator of the service must give its relay the role that it needs."
    )
