"""Entra's registrations, as infra/identity/main.bicep makes them, against what the code reads and checks."""

import json
import re
from inspect import getsource
from typing import Any

import pytest

from dev.stack import ROOT
from shared.access import azure_roles
from shared.access.azure import callers
from shared.access.azure_roles import ADMINISTRATOR_ROLE, AUTOMATION_ROLE, RELAY_ROLE, SCOPE
from shared.base.clouds import FEDERATION
from shared.base.settings import names
from shared.settings import FunctionSettings, RelaySettings
from tests.infra.evaluated_bicep import Deployed, NotUnderstood, deploy

BICEP = (ROOT / "infra/identity/main.bicep").read_text()
GIVEN: dict[str, Any] = {
    "pageOrigins": ["https://console.example.com"],
    "apiPrincipalId": "the-function-app",
    "relayPrincipalId": "the-relay",
    "automationPrincipalIds": ["a-logic-app"],
    "administratorPrincipalIds": ["a-group"],
    "automationTrusts": [{"name": "ci", "issuer": "https://ci.example.com", "subject": "repo:main"}],
}
IN_EVERY_TOKEN = {"aud", "iss", "tid", "oid", "sub", "ver", "scp", "roles"}
"""Claims that Entra puts into access tokens by itself; of names (below) any one will do."""
NAMES = {"name", "preferred_username", "upn", "app_displayname", "azp", "appid"}


def deployed(text: str = BICEP, **others: Any) -> Deployed:
    return deploy(text, {**GIVEN, **others})


def without(part: str, instead: str = "") -> str:
    """The file with a part of it broken."""
    assert part in BICEP
    return BICEP.replace(part, instead)


def roles(found: Deployed) -> dict[str, list[str]]:
    return {role["value"]: role["allowedMemberTypes"] for role in found.resources["api"]["appRoles"]}


def scopes(found: Deployed) -> set[str]:
    return {scope["value"] for scope in found.resources["api"]["api"]["oauth2PermissionScopes"]}


def ids(found: Deployed) -> list[str]:
    about = found.resources["api"]
    return [each["id"] for each in (*about["appRoles"], *about["api"]["oauth2PermissionScopes"])]


def claims(found: Deployed) -> set[str]:
    return {claim["name"] for claim in found.resources["api"]["optionalClaims"]["accessToken"]}


def claims_read() -> set[str]:
    """What the adapter reads of a token."""
    return set(re.findall(r'claims(?:\.get\(|\[)"(\w+)"', getsource(callers)))


def redirect_of_the_page(origin: str) -> str:
    """As the page asks for it."""
    home = re.search(r"const home = \(\) => `([^`]*)`", (ROOT / "web/access/auth.js").read_text())
    assert home
    return home[1].replace("${location.origin}", origin)


def test_the_roles_are_those_that_the_code_checks() -> None:
    named = {value for name, value in vars(azure_roles).items() if name.endswith("_ROLE")}
    assert set(roles(deployed())) == named
    assert set(roles(deployed(without("value: 'Relay.Attach'", "value: 'Relay'")))) != named


def test_only_an_administrator_may_be_a_person() -> None:
    """A person with the role of a relay or an automation would be one without their own rights being asked."""
    for_people = {role for role, members in roles(deployed()).items() if "User" in members}
    assert for_people == {ADMINISTRATOR_ROLE}
    broken = deployed(without("['Application']", "['User']"))
    assert {role for role, members in roles(broken).items() if "User" in members} != for_people


def test_the_scope_is_the_one_that_the_code_demands_and_the_page_has_it_beforehand() -> None:
    about = deployed()
    assert scopes(about) == {SCOPE}
    assert about.resources["api"]["api"]["preAuthorizedApplications"] == [
        {"appId": "<page.appId>", "delegatedPermissionIds": [about.values["accessScopeId"]]}
    ]
    assert scopes(deployed(without("value: 'Console.Access'", "value: 'Console.Open'"))) != {SCOPE}


def test_every_id_is_its_own_and_stays() -> None:
    found = ids(deployed())
    assert len(set(found)) == len(found) == 4
    assert ids(deployed(pageOrigins=[], automationPrincipalIds=[], otherTenants=True)) == found
    assert set(ids(deployed(name="another"))).isdisjoint(found)
    twice = ids(deployed(without("guid(name, 'Relay.Attach')", "guid(name, 'Console.Automation')")))
    assert len(set(twice)) < len(twice)


def test_an_id_is_made_of_the_name_of_what_it_is_for() -> None:
    """So that nobody who adds a role gives it another one's id."""
    found = deployed()
    api = found.resources["api"]
    offered = {each["value"]: each["id"] for each in (*api["appRoles"], *api["api"]["oauth2PermissionScopes"])}
    made = re.findall(r"^var (\w+Id) = guid\(name, '([\w.]+)'\)$", BICEP, re.MULTILINE)
    assert {said: found.values[variable] for variable, said in made} == offered


def test_tokens_carry_every_claim_that_is_read_and_no_other() -> None:
    wanted = claims_read() - IN_EVERY_TOKEN - NAMES
    assert {"acrs", "xms_cc"} <= wanted
    assert claims(deployed()) == wanted
    assert claims(deployed(without("{ name: 'acrs', essential: false }\n"))) != wanted


def test_tokens_are_of_the_second_version_and_hold_no_groups() -> None:
    about = deployed().resources["api"]
    assert about["api"]["requestedAccessTokenVersion"] == 2
    assert about["groupMembershipClaims"] == "None"


def test_the_page_comes_back_where_it_asked_to() -> None:
    origin = "https://console.example.com"
    wanted = {"redirectUris": [redirect_of_the_page(origin)]}
    assert deployed().resources["page"]["spa"] == wanted
    assert deployed(without("'${origin}/'", "origin")).resources["page"]["spa"] != wanted


def test_no_registration_has_a_secret_or_takes_tokens_out_of_an_address() -> None:
    for symbol, kind in deployed().kinds.items():
        about = deployed().resources[symbol]
        if kind.startswith("Microsoft.Graph/applications@"):
            assert not {"passwordCredentials", "keyCredentials", "web", "publicClient"} & set(about), symbol


@pytest.mark.parametrize("cloud", FEDERATION)
def test_the_function_apps_identity_vouches_for_the_api_in_every_cloud(cloud: str) -> None:
    authority = names(FunctionSettings)["ENTRA_AUTHORITY"][1]
    found = deploy(BICEP, GIVEN, tenant="contoso", cloud=cloud)
    trust = found.resources["apiTrust"]
    assert trust["audiences"] == [FEDERATION[cloud]]
    assert trust["issuer"] == f"{authority}/contoso/v2.0"
    assert trust["subject"] == GIVEN["apiPrincipalId"]
    assert trust["name"].startswith(found.resources["api"]["uniqueName"] + "/")


def test_a_credential_for_somebody_else_would_be_noticed() -> None:
    bent = without("subject: apiPrincipalId", "subject: relayPrincipalId")
    assert deployed(bent).resources["apiTrust"]["subject"] != GIVEN["apiPrincipalId"]
    bent = without("'${authority}/${tenant().tenantId}/v2.0'", "'${authority}/${tenant().tenantId}'")
    assert not deployed(bent).resources["apiTrust"]["issuer"].endswith("/v2.0")
    bent = without("api://AzureADTokenExchangeUSGov", "api://AzureADTokenExchange")
    trust = deploy(bent, GIVEN, cloud="AzureUSGovernment").resources["apiTrust"]
    assert trust["audiences"] != [FEDERATION["AzureUSGovernment"]]


def test_the_federation_knows_the_clouds_that_the_code_knows() -> None:
    assert deployed().values["federationAudiences"] == FEDERATION


def test_each_role_goes_to_whom_it_is_meant_for() -> None:
    found = deployed()
    of = {"relayRole": RELAY_ROLE, "automationClientRole": AUTOMATION_ROLE, "automationRole": AUTOMATION_ROLE,
          "administratorRole": ADMINISTRATOR_ROLE}  # fmt: skip
    by_name = {role["value"]: role["id"] for role in found.resources["api"]["appRoles"]}
    given = {}
    for symbol, role in of.items():
        assigned = found.resources[symbol]
        for each in assigned if isinstance(assigned, list) else [assigned]:
            assert (each["appRoleId"], each["resourceId"]) == (by_name[role], "<apiPrincipal.id>")
            given[each["principalId"]] = role
    assert given == {
        "the-relay": RELAY_ROLE,
        "<automationPrincipal.id>": AUTOMATION_ROLE,
        "a-logic-app": AUTOMATION_ROLE,
        "a-group": ADMINISTRATOR_ROLE,
    }
    assert set(of) == {symbol for symbol, kind in found.kinds.items() if "appRoleAssignedTo" in kind}


def test_before_the_service_is_there_nobody_is_trusted() -> None:
    first = deploy(BICEP)
    assert first.resources["apiTrust"] is None
    assert first.resources["relayRole"] is None
    assert first.resources["page"]["spa"] == {"redirectUris": []}


def test_azure_is_asked_on_peoples_behalf_and_nothing_else_is() -> None:
    found = deployed()
    assert found.resources["api"]["requiredResourceAccess"] == [
        {
            "resourceAppId": found.resources["azure"]["appId"],
            "resourceAccess": [{"id": found.values["azureScopeId"], "type": "Scope"}],
        }
    ]
    assert found.resources["azureConsent"]["scope"] == "user_impersonation"
    assert deployed(grantConsent=False).resources["azureConsent"] is None


def test_what_it_answers_are_settings_of_the_service() -> None:
    said = re.findall(r"@description\('([^']*)'\)\noutput (\w+) ", BICEP)
    settings = {name for about, _ in said for name in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", about)}
    assert settings == {"API_CLIENT_ID", "API_AUDIENCE", "PAGE_CLIENT_ID", "ENTRA_TENANTS"}
    assert settings <= {*names(FunctionSettings), *names(RelaySettings)}
    assert deployed().outputs["apiAudience"] in deployed().resources["api"]["identifierUris"]


def test_the_service_expects_the_audience_that_is_registered() -> None:
    """The service's own default, where no other name was given to the registrations."""
    expected = re.search(r"^param apiAudience string = '(.*)'$", (ROOT / "infra/main.bicep").read_text(), re.MULTILINE)
    assert expected
    said = deploy(BICEP, tenant="contoso").outputs
    assert expected[1].replace("${tenantIds[0]}", said["tenantId"]) == said["apiAudience"]
    assert deploy(BICEP, {"name": "another"}, tenant="contoso").outputs["apiAudience"] != said["apiAudience"]


def test_the_types_are_those_of_an_extension_that_is_pinned() -> None:
    config = json.loads((ROOT / "infra/identity/bicepconfig.json").read_text())
    used = re.findall(r"^extension (\w+)$", BICEP, re.MULTILINE)
    assert list(config["extensions"]) == used
    assert all(re.search(r":\d+\.\d+\.\d+$", address) for address in config["extensions"].values())
    assert all(kind.endswith("@v1.0") for kind in deployed().kinds.values())


@pytest.mark.parametrize(
    "broken",
    [
        "var x = {",
        "resource a 'b@v1.0' = {\n  c: missing\n}",
        "var x = base64('y')",
        "var x = 1 + 1",
        "module m 'n' = {}",
    ],
)
def test_what_is_not_understood_is_not_passed_over(broken: str) -> None:
    with pytest.raises(NotUnderstood):
        deploy(broken)


OF_OTHERS = {"pageUrl", "tenantIds", "appRoleAssignmentRequired", "signIn"}
"""An answer and a parameter of the service, a property of Entra's, a field of a policy."""


def unknown(page: str) -> set[str]:
    """Names on the page that are neither parameters nor answers of the file."""
    named = {*re.findall(r"`([a-z]+[A-Z]\w+)(?:=\w+)?`", page), *re.findall(r"\b([a-z]+[A-Z]\w+)=", page)}
    there = {*re.findall(r"^(?:param|output) (\w+)", BICEP, re.MULTILINE)}
    assert named & there
    return named - there - OF_OTHERS


def test_the_document_names_what_the_file_takes_and_answers() -> None:
    page = (ROOT / "docs/identity.md").read_text()
    assert unknown(page) == set()
    assert unknown(page.replace("grantConsent", "giveConsent")) == {"giveConsent"}
