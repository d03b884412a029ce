"""Every reasoned no. One table gives each its HTTP status, its words, its mending and its WebSocket close code.

Messages that people search for are Azure's own sentences, to the byte; our additions go into `fix` and
`fix_command`. A refusal is a value: flows return it, the HTTP skin and the relay translate it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple


class Code(StrEnum):
    """Stable and documented in docs/errors.md; clients may branch on them."""

    BOOT_DIAGNOSTICS_DISABLED = "BootDiagnosticsDisabled"
    VM_NOT_RUNNING = "VmNotRunning"
    VM_PROVISIONING = "VmProvisioning"
    VM_PERMISSION_DENIED = "VmPermissionDenied"
    VM_NOT_FOUND = "VmNotFound"
    SCALE_SET_NOT_SPECIFIED = "ScaleSetNotSpecified"
    CALLER_NOT_AUTHENTICATED = "CallerNotAuthenticated"
    CALLER_NOT_PERMITTED = "CallerNotPermitted"
    MFA_REQUIRED = "MfaRequired"
    TOKEN_INVALID = "TokenInvalid"  # noqa: S105 - an error code
    TOKEN_EXPIRED = "TokenExpired"  # noqa: S105 - an error code
    TOKEN_REPLAYED = "TokenReplayed"  # noqa: S105 - an error code
    CONSOLE_IN_USE = "ConsoleInUse"
    TAKEOVER_REFUSED = "TakeoverRefused"
    SESSION_SUPERSEDED = "SessionSuperseded"
    SESSION_NOT_FOUND = "SessionNotFound"
    SESSION_ENDED = "SessionEnded"
    INVALID_REQUEST = "InvalidRequest"
    REQUEST_TOO_LARGE = "RequestTooLarge"
    NOT_FOUND = "NotFound"
    TOO_MANY_REQUESTS = "TooManyRequests"
    AUDIT_UNAVAILABLE = "AuditUnavailable"
    GATEWAY_TIMEOUT = "GatewayTimeout"
    RELAY_UNAVAILABLE = "RelayUnavailable"
    AZURE_UNAVAILABLE = "AzureUnavailable"
    RELAY_DRAINING = "RelayDraining"
    IDLE_TIMEOUT = "IdleTimeout"
    SESSION_EXPIRED = "SessionExpired"
    ACCESS_REVOKED = "AccessRevoked"
    VM_STOPPED = "VmStopped"
    CONSOLE_FAULT = "ConsoleFault"
    EXTERNAL_TAKEOVER = "ExternalTakeover"


class Entry(NamedTuple):
    """`close` is the WebSocket close code where the refusal can end a session that is open."""

    status: int
    message: str
    fix: str
    fix_command: str | None = None
    retry_after: int | None = None
    close: int | None = None


_DIAGNOSTICS = "az vm boot-diagnostics enable --ids {vm}"
_START = "az vm start --ids {vm}"
_GRANT = 'az role assignment create --role "Virtual Machine Contributor" --assignee {caller} --scope {vm}'

TABLE: dict[Code, Entry] = {
    Code.BOOT_DIAGNOSTICS_DISABLED: Entry(
        409,
        "Azure Serial Console requires boot diagnostics to be enabled. "
        "Click here to configure boot diagnostics for your virtual machine.",
        "Enable boot diagnostics on the VM, then open the console again.",
        _DIAGNOSTICS,
    ),
    Code.VM_NOT_RUNNING: Entry(
        409,
        "Azure Serial Console requires a virtual machine to be running. "
        "Use the Start button above to start your virtual machine.",
        "Start the VM, then open the console again.",
        _START,
    ),
    Code.VM_PROVISIONING: Entry(
        409,
        "Provisioning for this VM has not yet succeeded. Please ensure the VM is fully deployed "
        "and retry the serial console connection.",
        "Wait until the VM's deployment has ended; if it failed, mend or delete the deployment.",
        "az vm get-instance-view --ids {vm} --query provisioningState",
        15,
    ),
    Code.VM_PERMISSION_DENIED: Entry(
        403,
        "You do not have the required permissions to use this VM with the serial console. "
        "Ensure you have at least Virtual Machine Contributor role permissions.",
        "Ask an owner of the VM for the role Virtual Machine Contributor on it.",
        _GRANT,
        close=4004,
    ),
    Code.VM_NOT_FOUND: Entry(
        404,
        "The VM does not exist, or you may not read it.",
        "Check the resource id; if it is right, ask an owner of the VM for a role on it.",
        "az vm show --ids {vm}",
    ),
    Code.SCALE_SET_NOT_SPECIFIED: Entry(
        404,
        "We found that you specified a Virtual Machine Scale Set and not a VM. "
        "Use the --instance-id parameter to select the VMSS instance you want to connect to.",
        "Name an instance: .../virtualMachineScaleSets/{set}/virtualMachines/{instance id}.",
        "az vmss list-instances --ids {vm} --query [].instanceId",
    ),
    Code.CALLER_NOT_AUTHENTICATED: Entry(
        401, "The request carries no valid access token.", "Sign in again and send the access token as a bearer token."
    ),
    Code.CALLER_NOT_PERMITTED: Entry(
        403,
        "The caller's token lacks the scope or app role that this operation demands.",
        "Consent to the scope Console.Access, or give the application the app role it needs.",
    ),
    Code.MFA_REQUIRED: Entry(
        401, "Your organization demands a stronger sign-in for this.", "Sign in again with the claims challenge."
    ),
    Code.TOKEN_INVALID: Entry(401, "The session token is not valid.", "Request a new session.", close=4401),
    Code.TOKEN_EXPIRED: Entry(
        401, "The session token has expired; it lives 30 seconds.", "Request a new session.", close=4401
    ),
    Code.TOKEN_REPLAYED: Entry(
        401, "The session token was used before; it opens a console once.", "Request a new session.", close=4401
    ),
    Code.CONSOLE_IN_USE: Entry(
        409, "The console is in use.", "Wait, watch instead of writing, or request it with takeover ask or force."
    ),
    Code.TAKEOVER_REFUSED: Entry(
        409, "The person who holds the console did not give it up.", "Wait, watch, or request it with takeover force."
    ),
    Code.SESSION_SUPERSEDED: Entry(
        409, "Another user took the console.", "Watch, or take the console back by a new session.", close=4001
    ),
    Code.SESSION_NOT_FOUND: Entry(404, "There is no such session on this console.", "Request a new session."),
    Code.SESSION_ENDED: Entry(409, "The session was ended.", "Request a new session.", close=4008),
    Code.INVALID_REQUEST: Entry(
        400, "The request is not valid.", "Correct what the message names and send it again.", close=4400
    ),
    Code.REQUEST_TOO_LARGE: Entry(413, "The request body is larger than 16 KiB.", "Send only the documented fields."),
    Code.NOT_FOUND: Entry(404, "There is nothing at this address.", "See the API's documentation for its addresses."),
    Code.TOO_MANY_REQUESTS: Entry(429, "Too many requests.", "Wait as long as Retry-After says.", retry_after=5),
    Code.AUDIT_UNAVAILABLE: Entry(
        503,
        "The audit trail cannot be written, so no console is opened.",
        "Nothing is lost; retry. If it lasts, the service's storage or Event Hub is away: see its health.",
        retry_after=5,
        close=4007,
    ),
    Code.GATEWAY_TIMEOUT: Entry(
        504,
        "Sorry, the serial console was unable to connect to the VM because the service "
        "did not respond in a timely manner.",
        "Retry; most such faults are transient.",
        retry_after=5,
        close=4006,
    ),
    Code.RELAY_UNAVAILABLE: Entry(
        503, "The relay of this console does not answer.", "Retry; a relay is replaced within a minute.", retry_after=5
    ),
    Code.AZURE_UNAVAILABLE: Entry(
        503, "Azure did not answer a question that this request depends on.", "Retry shortly.", retry_after=5
    ),
    Code.RELAY_DRAINING: Entry(
        503, "The relay is being replaced.", "Connect again at once.", retry_after=1, close=4009
    ),
    Code.IDLE_TIMEOUT: Entry(409, "Nothing was typed for the time that is allowed.", "Connect again.", close=4002),
    Code.SESSION_EXPIRED: Entry(409, "The session reached its longest duration.", "Connect again.", close=4003),
    Code.ACCESS_REVOKED: Entry(403, "The right to this console was withdrawn.", "Ask an owner of the VM.", close=4004),
    Code.VM_STOPPED: Entry(409, "The VM stopped.", "Start the VM, then connect again.", _START, close=4005),
    Code.CONSOLE_FAULT: Entry(
        502, "The connection to the VM's serial port was lost.", "Connect again.", retry_after=5, close=4006
    ),
    Code.EXTERNAL_TAKEOVER: Entry(
        409,
        "The VM's serial port was taken by a connection from outside this service, for example in the Azure portal.",
        "Connect again to take it back.",
        close=4010,
    ),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reasoned no. `details` holds the other checks that failed at the same time."""

    code: Code
    message: str
    fix: str
    fix_command: str | None = None
    retry_after: int | None = None
    target: str | None = None
    details: tuple["Refusal", ...] = ()
    claims: str | None = None
    """Claims challenge (JSON) that the client must sign in with; only with MFA_REQUIRED."""

    @property
    def status(self) -> int:
        return TABLE[self.code].status

    @property
    def close_code(self) -> int:
        """4000 where the table names none: a session that ends for a reason that only requests know."""
        return TABLE[self.code].close or 4000

    @property
    def retryable(self) -> bool:
        return self.retry_after is not None


def refuse(
    code: Code,
    *,
    because: str | None = None,
    target: str | None = None,
    caller: str = "{you}",
    claims: str | None = None,
) -> Refusal:
    """The refusal as the table has it. `because` replaces the message, for codes whose words are ours to choose."""
    entry = TABLE[code]
    command = entry.fix_command and entry.fix_command.format(vm=target or "{vm}", caller=caller)
    return Refusal(code, because or entry.message, entry.fix, command, entry.retry_after, target, claims=claims)


def together(refusals: list[Refusal]) -> Refusal:
    """Several refusals as one: the first speaks, the others are its details. Raises ValueError when there is none."""
    first, *others = refusals
    return replace(first, details=tuple(others))
