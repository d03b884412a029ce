"""The built-in role definitions of the demo tenant.

Source: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

from dataclasses import dataclass

from dev.demo import CONTRIBUTOR, READER, RELAY_OPENS, SERVICE_LOOKS, VM_CONTRIBUTOR

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
STORAGE_ACCOUNT_CONTRIBUTOR = "17d1049b-9a84-46fb-8f53-869881c3d3ab"


@dataclass(frozen=True)
class Role:
    """A built-in role: what it allows, and what is taken out of that again."""

    id: str
    name: str
    about: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()


_COMMON = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Insights/alertRules/*",
    "Microsoft.ResourceHealth/availabilityStatuses/read",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Support/*",
)

BUILT_IN = (
    Role(OWNER, "Owner", "Grants full access to manage all resources, including assigning roles.", ("*",)),
    Role(
        CONTRIBUTOR,
        "Contributor",
        "Grants full access to manage all resources, but does not allow you to assign roles.",
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
        ),
    ),
    Role(READER, "Reader", "View all resources, but does not allow you to make any changes.", ("*/read",)),
    Role(
        VM_CONTRIBUTOR,
        "Virtual Machine Contributor",
        "Create and manage virtual machines, but not the network or storage account they are connected to.",
        (
            *_COMMON,
            "Microsoft.Compute/availabilitySets/*",
            "Microsoft.Compute/locations/*",
            "Microsoft.Compute/virtualMachines/*",
            "Microsoft.Compute/virtualMachineScaleSets/*",
            "Microsoft.Compute/disks/write",
            "Microsoft.Compute/disks/read",
            "Microsoft.Compute/disks/delete",
            "Microsoft.Network/networkInterfaces/*",
            "Microsoft.SerialConsole/serialPorts/connect/action",
            "Microsoft.Storage/storageAccounts/listKeys/action",
            "Microsoft.Storage/storageAccounts/read",
        ),
    ),
    Role(
        STORAGE_ACCOUNT_CONTRIBUTOR,
        "Storage Account Contributor",
        "Lets you manage storage accounts, including accessing storage account keys.",
        (*_COMMON, "Microsoft.Insights/diagnosticSettings/*", "Microsoft.Storage/storageAccounts/*"),
    ),
)
LOOKS = Role(
    SERVICE_LOOKS,
    "Serial Console Service: looks",
    "What infra/modules/grants.bicep gives the function app, with what switch_reads.sh adds.",
    (
        "Microsoft.Authorization/denyAssignments/read",
        "Microsoft.Authorization/locks/read",
        "Microsoft.Authorization/roleAssignments/read",
        "Microsoft.Authorization/roleDefinitions/read",
        "Microsoft.Compute/virtualMachines/read",
        "Microsoft.Compute/virtualMachines/instanceView/read",
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read",
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/instanceView/read",
        "Microsoft.Resources/subscriptions/read",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        "Microsoft.Storage/checknameavailability/read",
        "Microsoft.Storage/storageAccounts/read",
        "Microsoft.SerialConsole/*/read",
    ),
)
OPENS_LEAST = Role(
    "0c0c0000-0000-4000-8000-000000000003",
    "Serial Console Service: opens (least)",
    "What the relay would get with `relayRole` least.",
    (
        "Microsoft.Compute/virtualMachines/read",
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read",
        "Microsoft.SerialConsole/serialPorts/connect/action",
    ),
)
OPENS = Role(
    RELAY_OPENS,
    "Serial Console Service: opens",
    "What infra/modules/grants.bicep gives the relay: the published minimum.",
    (
        *OPENS_LEAST.actions,
        "Microsoft.Compute/virtualMachines/start/action",
        "Microsoft.Compute/virtualMachines/write",
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/start/action",
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/write",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        "Microsoft.Storage/storageAccounts/listKeys/action",
        "Microsoft.Storage/storageAccounts/read",
    ),
)
ROLES = {role.id: role for role in (*BUILT_IN, LOOKS, OPENS, OPENS_LEAST)}
