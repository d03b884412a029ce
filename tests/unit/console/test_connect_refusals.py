import pytest

from shared.base.refusals import Code
from shared.console.connect_refusals import ConnectError, refusal_of_connect

VM = "/subscriptions/s/vm"
HIERARCHICAL = "Specified feature is not yet supported for hierarchical namespace accounts.\nRequestId:0c794bed"
LOCKED = "The scope 'x' cannot perform write operation because following scope(s) are locked: 'y'."
SENTENCES = [
    (409, "Conflict", HIERARCHICAL, Code.BOOT_DIAGNOSTICS_STORAGE_UNSUPPORTED),
    (409, "ScopeLocked", LOCKED, Code.RESOURCE_LOCKED),
    (409, "Conflict", "Azure Serial Console requires a virtual machine to be running. Use ...", Code.VM_NOT_RUNNING),
    (409, "", "The VM is in a stopped deallocated state.  Please start the VM and retry ...", Code.VM_NOT_RUNNING),
    (409, "Conflict", "Another connection is currently in progress to this VM. Please wait.", Code.EXTERNAL_TAKEOVER),
    (400, "InvalidRequest", "Provisioning for this VM has not yet succeeded. Please ensure ...", Code.VM_PROVISIONING),
    (409, "Conflict", "Provisioning for this VM isn't done. Please ensure the VM ...", Code.VM_PROVISIONING),
    (
        409,
        "Conflict",
        "Azure Serial Console requires boot diagnostics to be enabled. Click",
        Code.BOOT_DIAGNOSTICS_DISABLED,
    ),
    (
        403,
        "Forbidden",
        "Azure Serial Console is not enabled for this subscription, contact",
        Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION,
    ),
    (
        403,
        "Forbidden",
        "... when accessing this VM's boot diagnostic storage account.",
        Code.BOOT_DIAGNOSTICS_STORAGE_FORBIDDEN,
    ),
    (
        403,
        "KeyBasedAuthenticationNotPermitted",
        "Key based authentication is not permitted on this storage account.",
        Code.BOOT_DIAGNOSTICS_STORAGE_KEYLESS,
    ),
    (
        403,
        "Forbidden",
        "... required permissions to write to the boot diagnostics storage account for this VM.",
        Code.SERVICE_NOT_PERMITTED,
    ),
    (
        403,
        "AuthorizationFailed",
        "The client 'x' with object id 'y' does not have authorization to perform",
        Code.SERVICE_NOT_PERMITTED,
    ),
    (
        403,
        "Forbidden",
        "You do not have the required permissions to use this VM with the serial console.",
        Code.SERVICE_NOT_PERMITTED,
    ),
    (
        404,
        "NotFound",
        "The storage account 'a' used for boot diagnostics on this VM couldn't be found. Verify",
        Code.BOOT_DIAGNOSTICS_STORAGE_NOT_FOUND,
    ),
    (
        404,
        "NotFound",
        "Unable to determine the resource group for the boot diagnostics storage account 'a'.",
        Code.STORAGE_RESOURCE_GROUP_UNKNOWN,
    ),
    (404, "ResourceNotFound", "The Resource 'Microsoft.Compute/virtualMachines/x' was not found.", Code.VM_NOT_FOUND),
    (
        409,
        "MissingSubscriptionRegistration",
        "The subscription is not registered to use namespace 'Microsoft.SerialConsole'.",
        Code.PROVIDER_NOT_REGISTERED,
    ),
    (
        409,
        "Conflict",
        'Existing console has conflicting OS type "Windows" with the requested OS type of Linux',
        Code.OS_TYPE_CONFLICT,
    ),
    (504, "GatewayTimeout", "... because the service did not respond in a timely manner.", Code.GATEWAY_TIMEOUT),
]


@pytest.mark.parametrize(("status", "code", "text", "meant"), SENTENCES)
def test_what_azure_says_counts_and_not_the_status(status: int, code: str, text: str, meant: Code) -> None:
    refusal = refusal_of_connect(ConnectError(status, code, text), VM)
    assert refusal is not None
    assert (refusal.code, refusal.target) == (meant, VM)
    if status != 504:  # the same words under another of these statuses mean the same
        other = refusal_of_connect(ConnectError(409 if status == 403 else 403, code, text), VM)
        assert other is not None
        assert other.code is meant


def test_a_right_that_is_missing_is_the_services_and_is_named() -> None:
    action = "Microsoft.SerialConsole/serialPorts/connect/action"
    failed = f"The client 'a' with object id 'b' does not have authorization to perform action '{action}' over scope"
    denied = f"The client '' with object id '' has permission to perform action '{action}' on scope '/s'; however"
    for said in (
        ConnectError(403, "AuthorizationFailed", failed),
        ConnectError(403, "DenyAssignmentAuthorizationFailed", denied),
    ):
        refusal = refusal_of_connect(said, VM)
        assert refusal is not None
        assert refusal.code is Code.SERVICE_NOT_PERMITTED
        assert refusal.message.startswith(f"The service is not allowed to do {action} on this VM;")
        assert "not your permission" in refusal.message
        assert "'a'" not in refusal.message
        assert "administrator" in refusal.fix


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_what_nobody_knows_is_handed_on_in_azures_words_and_is_no_stopped_vm(status: int) -> None:
    refusal = refusal_of_connect(ConnectError(status, "Strange", "Something new."), VM)
    assert refusal is not None
    assert refusal.code is Code.CONNECT_REFUSED
    assert refusal.message == "Azure refused the connection to the VM's serial port: Something new."
    assert not refusal.retryable
    bare = refusal_of_connect(ConnectError(status, "Strange"), VM)
    assert bare is not None
    assert bare.message.endswith(": Strange")


@pytest.mark.parametrize(
    "said",
    [
        ConnectError(409),
        ConnectError(403),
        ConnectError(0),
        ConnectError(401, "x", "y"),
        ConnectError(429, "x", "y"),
        ConnectError(503, "x", "y"),
    ],
)
def test_what_gives_no_reason_is_no_refusal(said: ConnectError) -> None:
    """What a proxy answers, what breaks, what throttles, and that nobody is signed in."""
    assert refusal_of_connect(said, VM) is None


@pytest.mark.parametrize("first", ["see", "Another connection is currently in progress:"])
def test_azures_words_are_bounded_harmless_and_without_addresses(first: str) -> None:
    keys = "\n https://a.blob.core.windows.net/x?sig=SECRET and\x1b[2J\u202e wss://h/client?t=SECRET "
    refusal = refusal_of_connect(ConnectError(409, "c", first + keys + "x" * 999), VM)
    assert refusal is not None
    assert "SECRET" not in refusal.message
    assert f"{first} (address) and[2J (address) xxx" in refusal.message
    assert len(refusal.message) <= 400
