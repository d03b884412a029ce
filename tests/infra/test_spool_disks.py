"""The relays' disks as they are deployed: by default they outlive a replica, with private endpoints and without."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.infra import bicep
from tests.infra.bicep import INFRA

COMPILER = os.environ.get("BICEP")
compiled = pytest.mark.skipif(not COMPILER, reason="BICEP names no compiler: what would be deployed is not worked out")
SOMEBODY = "11111111-1111-1111-1111-111111111111"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    there = tmp_path_factory.mktemp("deployed") / "infra"
    shutil.copytree(INFRA, there, ignore=shutil.ignore_patterns("checks", "identity", "node_modules"))
    return there


def deployed(folder: Path, file: str, **parameters: str) -> list[dict[str, Any]]:
    """Every resource that the file would make. `parameters` take the place of the file's own, as Bicep writes them."""
    path = folder / f"{file}.{len(list(folder.glob('*.bicepparam')))}.bicepparam"
    lines = (folder / f"{file}.bicepparam").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(tuple(f"param {name} =" for name in parameters))]
    path.write_text("\n".join([*kept, *(f"param {name} = {value}" for name, value in parameters.items())]))
    names = {"API_CLIENT_ID": "a", "PAGE_CLIENT_ID": "p", "RELAY_IMAGE": "r/relay@sha256:0", "MASK_KEY": ""}
    words = ["--tenant-id", SOMEBODY, "--subscription-id", SOMEBODY, "--location", "westeurope"]
    command = [str(COMPILER), "snapshot", str(path), *words, "--deployment-name", "d"]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | names)
    found: list[dict[str, Any]] = json.loads(path.with_suffix(".snapshot.json").read_text())["predictedResources"]
    return found


def of_kind(found: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each["properties"] for each in found if each["type"].lower() == kind.lower()]


def the_disks(found: list[dict[str, Any]]) -> dict[str, Any]:
    (account,) = [each["properties"] for each in found if each.get("kind") == "FileStorage"]
    return dict(account)


def test_by_default_spools_are_on_shares_and_no_parameter_file_says_otherwise() -> None:
    assert "param spoolOnShare bool = true" in bicep.read(INFRA / "main.bicep").text
    assert all("spoolOnShare" not in path.read_text() for path in INFRA.glob("*.bicepparam"))


@compiled
@pytest.mark.parametrize("file", ["dev", "main", "prod"])
def test_every_relay_has_a_share_of_its_own_in_a_network(folder: Path, file: str) -> None:
    found = deployed(folder, file)
    relays = of_kind(found, "Microsoft.App/containerApps")
    mounts = [mount for relay in relays for mount in relay["template"]["volumes"]]
    shares = [
        each["nfsAzureFile"]["shareName"] for each in of_kind(found, "Microsoft.App/managedEnvironments/storages")
    ]
    assert {mount["storageType"] for mount in mounts} == {"NfsAzureFile"}
    (service,) = of_kind(found, "Microsoft.Storage/storageAccounts/fileServices")
    assert service["protocolSettings"]["nfs"]["encryptionInTransit"] == {"required": False}
    assert len({mount["storageName"] for mount in mounts}) == len(relays) == len(set(shares))
    (home,) = of_kind(found, "Microsoft.App/managedEnvironments")
    assert home["vnetConfiguration"]["infrastructureSubnetId"].endswith("/subnets/relays")


@compiled
def test_without_private_endpoints_the_relays_subnet_alone_reaches_the_shares(folder: Path) -> None:
    found = deployed(folder, "dev")
    disks, (network,) = the_disks(found), of_kind(found, "Microsoft.Network/virtualNetworks")
    (home,) = of_kind(found, "Microsoft.App/managedEnvironments")
    (subnet,) = network["subnets"]
    assert [each["service"] for each in subnet["properties"]["serviceEndpoints"]] == ["Microsoft.Storage"]
    firewall = disks["networkAcls"]
    assert (disks["publicNetworkAccess"], firewall["defaultAction"]) == ("Enabled", "Deny")
    assert [rule["id"] for rule in firewall["virtualNetworkRules"]] == [
        home["vnetConfiguration"]["infrastructureSubnetId"]
    ]
    assert not home["vnetConfiguration"]["internal"]


@compiled
def test_with_private_endpoints_nobody_reaches_the_shares_from_outside(folder: Path) -> None:
    disks = the_disks(deployed(folder, "prod"))
    assert (disks["publicNetworkAccess"], disks["networkAcls"]["virtualNetworkRules"]) == ("Disabled", [])


@compiled
@pytest.mark.parametrize("file", ["dev", "prod"])
def test_who_asks_for_it_gets_disks_that_go_with_their_replica(folder: Path, file: str) -> None:
    found = deployed(folder, file, spoolOnShare="false")
    mounts = [each for relay in of_kind(found, "Microsoft.App/containerApps") for each in relay["template"]["volumes"]]
    assert {mount["storageType"] for mount in mounts} == {"EmptyDir"}
    assert not of_kind(found, "Microsoft.App/managedEnvironments/storages")
    assert not [each for each in found if each.get("kind") == "FileStorage"]
