"""Every code of a refusal, and one table with its HTTP status, message, remedy, command and WebSocket close code.

Messages that people search for are Azure's own sentences, byte for byte; our additions go into `fix` and
`fix_command`. An empty pair of quotes in a message takes the name of the storage account.
"""

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
    STORAGE_PERMISSION_DENIED = "StoragePermissionDenied"
    STORAGE_RESOURCE_GROUP_UNKNOWN = "StorageResourceGroupUnknown"
    BOOT_DIAGNOSTICS_STORAGE_NOT_FOUND = "BootDiagnosticsStorageNotFound"
    BOOT_DIAGNOSTICS_STORAGE_FORBIDDEN = "BootDiagnosticsStorageForbidden"
    BOOT_DIAGNOSTICS_STORAGE_KEYLESS = "BootDiagnosticsStorageKeyless"
    BOOT_DIAGNOSTICS_STORAGE_UNSUPPORTED = "BootDiagnosticsStorageUnsupported"
    BOOT_DIAGNOSTICS_URI_INVALID = "BootDiagnosticsUriInvalid"
    CONSOLE_DISABLED_FOR_SUBSCRIPTION = "ConsoleDisabledForSubscription"
    CONSOLE_DISABLED_BY_POLICY = "ConsoleDisabledByPolicy"
    SERIAL_PORT_DISABLED = "SerialPortDisabled"
    RESOURCE_LOCKED = "ResourceLocked"
    REGION_NOT_AVAILABLE = "RegionNotAvailable"
    CLOUD_NOT_AVAILABLE = "CloudNotAvailable"
    NETWORK_NOT_ALLOWED = "NetworkNotAllowed"
    TAG_NOT_ALLOWED = "TagNotAllowed"
    REASON_REQUIRED = "ReasonRequired"
    APPROVAL_REQUIRED = "ApprovalRequired"
    APPROVAL_PENDING = "ApprovalPending"
    APPROVAL_NOT_FOUND = "ApprovalNotFound"
    APPROVAL_CLOSED = "ApprovalClosed"
    APPROVER_IS_REQUESTER = "ApproverIsRequester"
    APPROVER_PERMISSION_DENIED = "ApproverPermissionDenied"
    POWER_PERMISSION_DENIED = "PowerPermissionDenied"
    NMI_PERMISSION_DENIED = "NmiPermissionDenied"
    TRANSCRIPT_PERMISSION_DENIED = "TranscriptPermissionDenied"
    ADMINISTRATION_DENIED = "AdministrationDenied"
    POLICY_CHANGED = "PolicyChanged"
    CONSOLE_NOT_OPEN = "ConsoleNotOpen"
    POWER_ACT_REFUSED = "PowerActRefused"
    CALLER_NOT_AUTHENTICATED = "CallerNotAuthenticated"
    CALLER_NOT_PERMITTED = "CallerNotPermitted"
    MFA_REQUIRED = "MfaRequired"
    STEP_UP_UNSUPPORTED = "StepUpUnsupported"
    TOKEN_INVALID = "TokenInvalid"  # noqa: S105 - an error code
    TOKEN_EXPIRED = "TokenExpired"  # noqa: S105 - an error code
    TOKEN_REPLAYED = "TokenReplayed"  # noqa: S105 - an error code
    CONSOLE_IN_USE = "ConsoleInUse"
    TAKEOVER_REFUSED = "TakeoverRefused"
    SESSION_SUPERSEDED = "SessionSuperseded"
    SESSION_NOT_FOUND = "SessionNotFound"
    RECORDING_NOT_FOUND = "RecordingNotFound"
    RECORDINGS_INCOMPLETE = "RecordingsIncomplete"
    BOOT_LOG_NOT_FOUND = "BootLogNotFound"
    RANGE_NOT_SATISFIABLE = "RangeNotSatisfiable"
    SESSION_ENDED = "SessionEnded"
    INVALID_REQUEST = "InvalidRequest"
    REQUEST_TOO_LARGE = "RequestTooLarge"
    NOT_FOUND = "NotFound"
    TOO_MANY_REQUESTS = "TooManyRequests"
    AUDIT_UNAVAILABLE = "AuditUnavailable"
    GATEWAY_TIMEOUT = "GatewayTimeout"
    RELAY_UNAVAILABLE = "RelayUnavailable"
    AZURE_UNAVAILABLE = "AzureUnavailable"
    LOCK_UNAVAILABLE = "LockUnavailable"
    AZURE_THROTTLED = "AzureThrottled"
    AZURE_TIMEOUT = "AzureTimeout"
    RELAY_DRAINING = "RelayDraining"
    IDLE_TIMEOUT = "IdleTimeout"
    SESSION_EXPIRED = "SessionExpired"
    ACCESS_REVOKED = "AccessRevoked"
    VM_STOPPED = "VmStopped"
    CONSOLE_FAULT = "ConsoleFault"
    CONNECT_REFUSED = "ConnectRefused"
    PROVIDER_NOT_REGISTERED = "ProviderNotRegistered"
    SERVICE_NOT_PERMITTED = "ServiceNotPermitted"
    EXTERNAL_TAKEOVER = "ExternalTakeover"
    OS_TYPE_CONFLICT = "OsTypeConflict"


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
_GRANT_STORAGE = "az role assignment create --role Contributor --assignee {caller} --scope {storage}"
_MANAGED = 'az vm boot-diagnostics enable --ids {vm} --storage ""'
_MOVE = "Move boot diagnostics to managed storage, or to an account that exists and that you may use."
_ASK_AGAIN = "Ask an owner of the service to allow it, or choose what its policy allows."

TABLE: dict[Code, Entry] = {
    Code.BOOT_DIAGNOSTICS_DISABLED: Entry(
        409,
        "Azure Serial Console requires boot diagnostics to be enabled. "
        "Click here to configure boot diagnostics for your virtual machine.",
        "Enable boot diagnostics on the VM, then open the console again.",
        _DIAGNOSTICS,
        close=4012,
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
    Code.STORAGE_PERMISSION_DENIED: Entry(
        403,
        "You do not have the required permissions to write to the boot diagnostics storage account for this VM. "
        "Please ensure you have at least VM Contributor permissions",
        "Ask an owner of the storage account for the role Contributor on it, or move boot diagnostics to managed "
        "storage.",
        _GRANT_STORAGE,
        close=4004,
    ),
    Code.STORAGE_RESOURCE_GROUP_UNKNOWN: Entry(
        404,
        "Unable to determine the resource group for the boot diagnostics storage account ''. "
        "Verify that boot diagnostics is enabled for this VM and you have access to this storage account.",
        "The account exists, but in no subscription that the service may read: let it read that one. Otherwise: "
        + _MOVE[0].lower()
        + _MOVE[1:],
        _MANAGED,
    ),
    Code.BOOT_DIAGNOSTICS_STORAGE_NOT_FOUND: Entry(
        404,
        "The storage account '' used for boot diagnostics on this VM could not be found. Verify that boot diagnostics "
        "is enabled for this VM, this storage account has not been deleted, and you have access to this storage "
        "account.",
        _MOVE,
        _MANAGED,
    ),
    Code.BOOT_DIAGNOSTICS_STORAGE_FORBIDDEN: Entry(
        403,
        'A "Forbidden" response was encountered when accessing this VM\'s boot diagnostic storage account.',
        "Let the account's firewall pass the serial console, or move boot diagnostics to managed storage.",
        "az storage account update --ids {storage} --default-action Allow",
    ),
    Code.BOOT_DIAGNOSTICS_STORAGE_KEYLESS: Entry(
        403,
        "The storage account '' used for boot diagnostics on this VM cannot be accessed by its keys, and the serial "
        "console needs that.",
        "Allow access by keys on the account, or move boot diagnostics to managed storage.",
        "az storage account update --ids {storage} --allow-shared-key-access true",
        close=4012,
    ),
    Code.BOOT_DIAGNOSTICS_STORAGE_UNSUPPORTED: Entry(
        409,
        "The storage account '' used for boot diagnostics on this VM has a hierarchical namespace, and the serial "
        "console does not work with that.",
        "Move boot diagnostics to managed storage, or to an account without a hierarchical namespace: it can be "
        "chosen only when an account is made.",
        _MANAGED,
        close=4012,
    ),
    Code.BOOT_DIAGNOSTICS_URI_INVALID: Entry(
        400,
        "The serial console connection to the VM encountered an error: 'Bad Request' (400)",
        "The VM's boot-diagnostics URI is not https://{account}.blob.{storage suffix of the cloud}/. " + _MOVE,
        _MANAGED,
    ),
    Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION: Entry(
        403,
        "Azure Serial Console is not enabled for this subscription, contact your subscription administrator to enable.",
        "An administrator of the subscription turns it on again.",
        "az serial-console enable",
        close=4012,
    ),
    Code.CONSOLE_DISABLED_BY_POLICY: Entry(
        403,
        "A policy has switched the console off here.",
        "Who set the policy can switch the console on again.",
        close=4012,
    ),
    Code.SERIAL_PORT_DISABLED: Entry(
        409,
        "The VM's serial port is disabled.",
        "Enable the port with Microsoft.SerialConsole, then open the console again.",
        "az rest --method put --url {vm}/providers/Microsoft.SerialConsole/serialPorts/0 "
        '--url-parameters api-version=2018-05-01 --body \'{{"properties":{{"state":"enabled"}}}}\'',
        close=4012,
    ),
    Code.RESOURCE_LOCKED: Entry(
        409,
        "A read-only lock stops the serial console.",
        "Remove the lock, or ask who set it; then open the console again.",
        "az lock list --resource {vm}",
    ),
    Code.REGION_NOT_AVAILABLE: Entry(403, "The service does not serve the VM's region.", _ASK_AGAIN, close=4012),
    Code.CLOUD_NOT_AVAILABLE: Entry(403, "The service does not serve this cloud.", _ASK_AGAIN, close=4012),
    Code.NETWORK_NOT_ALLOWED: Entry(
        403, "A policy does not allow this from your network.", "Connect from a network that the policy names."
    ),
    Code.TAG_NOT_ALLOWED: Entry(
        403,
        "A policy allows consoles of VMs with certain tags only.",
        "Give the VM the tag that the message names, or ask who set the policy.",
        close=4012,
    ),
    Code.REASON_REQUIRED: Entry(400, "A policy demands a reason.", "Send the request again with a reason."),
    Code.APPROVAL_REQUIRED: Entry(
        403,
        "A policy demands that somebody else approves this.",
        "Ask for approval: POST .../serialConsole/approvals with what it is for and a reason.",
        close=4004,
    ),
    Code.APPROVAL_PENDING: Entry(
        403, "Your request waits for somebody's approval.", "Ask again when it is decided.", retry_after=5, close=4004
    ),
    Code.APPROVAL_NOT_FOUND: Entry(404, "There is no such request for approval on this console.", "Ask for approval."),
    Code.APPROVAL_CLOSED: Entry(
        409, "The request for approval is decided already, or has expired.", "Ask for approval anew."
    ),
    Code.APPROVER_IS_REQUESTER: Entry(
        403, "Nobody approves their own request.", "Let somebody else who may use this console decide."
    ),
    Code.APPROVER_PERMISSION_DENIED: Entry(
        403,
        "You may not approve requests for this console.",
        "Ask an owner of the VM for the role Virtual Machine Contributor on it.",
        _GRANT,
    ),
    Code.POWER_PERMISSION_DENIED: Entry(
        403,
        "You may not reset, restart, start or stop this VM.",
        "Ask an owner of the VM for the role Virtual Machine Contributor on it.",
        _GRANT,
    ),
    Code.NMI_PERMISSION_DENIED: Entry(
        403,
        "You may not send an NMI or SysRq to this VM.",
        "Ask an owner of the VM for the role Virtual Machine Contributor on it.",
        _GRANT,
    ),
    Code.TRANSCRIPT_PERMISSION_DENIED: Entry(
        403,
        "You may not read what this console printed.",
        "Ask an owner for the right to read the VM's boot diagnostics, and the account they are kept in.",
        _GRANT,
    ),
    Code.ADMINISTRATION_DENIED: Entry(
        403,
        "You may not administer serial consoles here.",
        "Ask an owner for the role Contributor here; for the whole tenant, for the app role Console.Administrator.",
        "az role assignment create --role Contributor --assignee {caller} --scope {vm}",
    ),
    Code.POLICY_CHANGED: Entry(
        412, "The policy was changed by somebody else meanwhile.", "Read it again, and apply your change to that."
    ),
    Code.CONSOLE_NOT_OPEN: Entry(
        409,
        "The console is not open, so there is no line on which to send this.",
        "Open the console, then send it again.",
    ),
    Code.POWER_ACT_REFUSED: Entry(
        409, "Azure refused to do this to the VM now.", "See the VM's state; retry when it allows the act."
    ),
    Code.VM_NOT_FOUND: Entry(
        404,
        "The VM does not exist, or you may not read it.",
        "Check the resource id; if it is right, ask an owner of the VM for a role on it.",
        "az vm show --ids {vm}",
        close=4005,
    ),
    Code.SCALE_SET_NOT_SPECIFIED: Entry(
        404,
        "We found that you specified a Virtual Machine Scale Set and not a VM. "
        "Use the --instance-id parameter to select the VMSS instance you want to connect to.",
        "Name an instance: .../virtualMachineScaleSets/{set}/virtualMachines/{instance id}.",
        "az vmss list-instances --ids {vm} --query '[].instanceId'",
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
    Code.STEP_UP_UNSUPPORTED: Entry(
        403,
        "Your organization demands a stronger sign-in for this, and your client does not say that it can handle that.",
        "Use a client that handles claims challenges (client capability cp1), or sign in to it with a second factor.",
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
    Code.RECORDING_NOT_FOUND: Entry(
        404,
        "The transcript of this console does not hold that.",
        "See the list of recordings; what is older than its first one was dropped by retention.",
    ),
    Code.RECORDINGS_INCOMPLETE: Entry(
        503,
        "The list of recordings of this console is still being made.",
        "Ask again: every request makes more of it. Reading by offset or time does not need it.",
        retry_after=1,
    ),
    Code.BOOT_LOG_NOT_FOUND: Entry(
        404,
        "Azure holds no such boot log or screenshot of this VM.",
        "Boot diagnostics keeps them from the VM's next start on; a VM in a console has its transcript anyway.",
    ),
    Code.RANGE_NOT_SATISFIABLE: Entry(
        416,
        "The transcript does not hold this range of bytes.",
        "Ask without a range: the answer's headers say which bytes there are.",
    ),
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
        503,
        "Azure did not answer a question that this request depends on.",
        "Retry shortly.",
        retry_after=5,
        close=4006,
    ),
    Code.LOCK_UNAVAILABLE: Entry(
        503,
        "The lock of this console does not answer now; it is being moved to another instance of the service.",
        "Retry: it answers within half a minute. Consoles that are open are not affected.",
        retry_after=5,
    ),
    Code.AZURE_THROTTLED: Entry(
        429,
        "Azure throttles: it has been asked too much, and takes no more for a while.",
        "Wait as long as Retry-After says: what Azure is asked before is refused too.",
        retry_after=10,
        close=4006,
    ),
    Code.AZURE_TIMEOUT: Entry(
        504,
        "Azure took a question that this request depends on, and did not answer it in time.",
        "Retry shortly. If something was to be changed, look first whether it was.",
        retry_after=5,
        close=4006,
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
    Code.CONNECT_REFUSED: Entry(
        409,
        "Azure refused the connection to the VM's serial port.",
        "See what Azure says; the Serial Console of the Azure portal meets the same. Reapplying the VM's state may "
        "help.",
        "az vm reapply --ids {vm}",
        close=4012,
    ),
    Code.PROVIDER_NOT_REGISTERED: Entry(
        409,
        "The VM's subscription is not registered to use Microsoft.SerialConsole.",
        "An owner of the subscription registers it.",
        "az provider register --namespace Microsoft.SerialConsole",
        close=4012,
    ),
    Code.SERVICE_NOT_PERMITTED: Entry(
        502,
        "The service is not allowed to do in Azure what this needs. It is not your permission that is missing.",
        "An administrator of the service must give its identity the role that it needs on the VM's subscription: see "
        "identities.md.",
        close=4012,
    ),
    Code.OS_TYPE_CONFLICT: Entry(
        409,
        'Existing console has conflicting OS type "Windows" with the requested OS type of Linux',
        "The VM's OS disk was exchanged for one of the other system. Connect again: the console opens for the new one.",
        close=4012,
    ),
    Code.EXTERNAL_TAKEOVER: Entry(
        409,
        "The VM's serial port was taken by a connection from outside this service, for example in the Azure portal.",
        "Connect again to take it back.",
        close=4010,
    ),
}
