"""What must hold of each kind of resource, whatever the parameters; also in files that checkov cannot read."""

import re

import pytest

from tests.infra import bicep
from tests.infra.bicep import Resource

RESOURCES = [(file.name, resource) for file in bicep.files() for resource in file.resources]
MUST: dict[str, tuple[str, ...]] = {
    "Microsoft.Storage/storageAccounts": (
        "allowBlobPublicAccess: false", "allowSharedKeyAccess: false", "minimumTlsVersion: 'TLS1_2'",
        "allowCrossTenantReplication: false", "defaultAction: (endpoints == null \\? 'Allow' : )?'Deny'",
        "publicNetworkAccess: (endpoints == null \\? 'Enabled' : )?'Disabled'", "bypass: 'None'",
        "keySource: empty\\(customerKeyUri\\) \\? 'Microsoft.Storage' : 'Microsoft.Keyvault'", "keyvaultproperties",
    ),
    "Microsoft.EventHub/namespaces": (
        "disableLocalAuth: true", "minimumTlsVersion: '1.2'", "isAutoInflateEnabled",
        "publicNetworkAccess: endpoints == null \\? 'Enabled' : 'Disabled'",
    ),
    "Microsoft.KeyVault/vaults": (
        "enableRbacAuthorization: true", "enablePurgeProtection: true", "enableSoftDelete: true",
        "publicNetworkAccess: endpoints == null \\? 'enabled' : 'disabled'",
    ),
    "Microsoft.KeyVault/vaults/keys": ("exportable: false", "rotationPolicy", "curveName: 'P-256'"),
    "Microsoft.Web/sites": (
        "httpsOnly: true", "minTlsVersion: '1.2'", "scmMinTlsVersion: '1.2'", "ftpsState: 'Disabled'",
        "publicNetworkAccess: public \\? 'Enabled' : 'Disabled'", "type: 'UserAssignedIdentity'", "version: '3.13'",
    ),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": ("allow: false",),
    "Microsoft.Web/staticSites": ("publicNetworkAccess: public \\|\\| endpoints == null \\? 'Enabled' : 'Disabled'",),
    "Microsoft.App/managedEnvironments": (
        "internal: !public", "publicNetworkAccess: public \\? 'Enabled' : 'Disabled'",
    ),
    "Microsoft.App/containerApps": (
        "allowInsecure: false", "maxReplicas: 1", "terminationGracePeriodSeconds: drainSeconds", "type: 'Liveness'",
        "type: 'Readiness'", "type: 'Startup'",
    ),
    "Microsoft.ContainerRegistry/registries": ("adminUserEnabled: false", "anonymousPullEnabled: false"),
    "Microsoft.OperationalInsights/workspaces": ("disableLocalAuth: true",),
    "Microsoft.Insights/components": ("DisableLocalAuth: true",),
    "Microsoft.DurableTask/schedulers": ("publicNetworkAccess: endpoints == null \\? 'Enabled' : 'Disabled'",),
}  # fmt: skip


def lacking(resource: Resource) -> list[str]:
    return [words for words in MUST.get(resource.kind, ()) if not re.search(words, resource.body)]


@pytest.mark.parametrize(("file", "resource"), RESOURCES, ids=lambda value: getattr(value, "kind", value))
def test_every_resource_is_set_as_safely_as_it_can_be(file: str, resource: Resource) -> None:
    assert not lacking(resource), file


def test_every_kind_that_this_is_about_is_there() -> None:
    assert {resource.kind for _, resource in RESOURCES} >= MUST.keys()


def test_what_stores_signs_or_carries_is_watched_and_in_the_network() -> None:
    for name in ("host_storage", "transcripts", "hub", "vault", "function_app"):
        text = next(file.text for file in bicep.files() if file.name == f"{name}.bicep")
        assert "Microsoft.Insights/diagnosticSettings" in text, name
        assert "'endpoint.bicep'" in text, name
        assert "if (endpoints != null)" in text, name


def test_tables_and_queues_are_under_the_customers_key_too() -> None:
    """Theirs is of the service unless the account says otherwise when it is made."""
    general = [resource for _, resource in RESOURCES if "kind: 'StorageV2'" in resource.body]
    assert len(general) == 2
    for resource in general:
        for service in ("queue", "table"):
            assert re.search(rf"{service}: {{\s+keyType: 'Account'", resource.body), resource.symbol


UNWATCHED = {
    "identities.bicep": "no data plane", "endpoint.bicep": "no data plane", "relay_zone.bicep": "no data plane",
    "grants.bicep": "the activity log has it", "alerts.bicep": "it watches", "relay.bicep": "its environment's logs",
    "scheduler.bicep": "whether it has logs of its own is not known",
}  # fmt: skip
"""Modules without diagnostic settings, and why."""


def test_every_module_is_watched_or_says_why_not() -> None:
    modules = {file.name: file.text for file in bicep.files() if file.path.parent.name == "modules"}
    assert {name for name, text in modules.items() if "diagnosticSettings" not in text} == UNWATCHED.keys()


def test_everything_is_private_unless_somebody_asks() -> None:
    main = bicep.read(bicep.INFRA / "main.bicep")
    assert "param privateNetwork bool = true" in main.text
    assert "param publicEntrance bool = false" in main.text
    assert "param lockResources bool = true" in main.text


def test_a_resource_that_is_not_safe_is_told() -> None:
    text = "resource a 'Microsoft.Storage/storageAccounts@2026-04-01' = {\n allowSharedKeyAccess: true\n}\n"
    assert "allowSharedKeyAccess: false" in lacking(bicep.read_text(text).resources[0])
