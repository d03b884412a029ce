"""The Bicep files fit together, and fit what is read, named and given in them."""

import json
import re
from pathlib import Path

import pytest

from dev.stack import ROOT
from infra.scripts import package_functions
from shared.base.settings import names
from shared.settings import FunctionSettings, RelaySettings
from tests.infra import bicep, checks
from tests.infra.bicep import INFRA, File

FILES = bicep.files()
BY_PATH = {file.path.resolve(): file for file in FILES}
MAIN = BY_PATH[(INFRA / "main.bicep").resolve()]
PARAMETER_FILES = sorted(INFRA.glob("*.bicepparam"))


def file_of(name: str) -> File:
    return BY_PATH[(INFRA / "modules" / name).resolve()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_is_read_to_its_end(file: File) -> None:
    assert not bicep.broken(file.text)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_modules_take_is_given_and_what_is_used_is_there(file: File) -> None:
    assert not list(checks.module_problems(file, BY_PATH))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_everything_is_described_used_and_no_secret_leaks(file: File) -> None:
    assert not list(checks.description_problems(file))
    assert not list(checks.unused_problems(file))
    assert not list(checks.secret_problems(file))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_loops_that_are_variables_take_only_what_is_known_beforehand(file: File) -> None:
    assert not list(checks.late_problems(file))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_api_versions_are_those_that_exist(file: File) -> None:
    assert not list(checks.version_problems(file))


@pytest.mark.parametrize("path", PARAMETER_FILES, ids=lambda path: path.name)
def test_parameter_files_fit_the_template(path: Path) -> None:
    assert not list(checks.parameter_file_problems(path.read_text(), MAIN))


def test_there_is_a_parameter_file_for_azd_for_trying_and_for_production() -> None:
    assert [path.name for path in PARAMETER_FILES] == ["dev.bicepparam", "main.bicepparam", "prod.bicepparam"]


def test_every_module_is_used() -> None:
    used = {(file.path.parent / call.path).resolve() for file in FILES for call in file.calls}
    assert BY_PATH.keys() - used == {MAIN.path.resolve(), (INFRA / "identity/main.bicep").resolve()}


FUNCTION_APP, RELAY = file_of("function_app.bicep"), file_of("relay.bicep")
HOST_SETTINGS = {
    "AzureWebJobsStorage__accountName", "AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId",
    "RECORDS__credential", "RECORDS__clientId", "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "AzureWebJobsDisableHomepage",
    "AzureFunctionsJobHost__extensions__http__maxConcurrentRequests",
    "AzureFunctionsJobHost__extensions__http__maxOutstandingRequests",
}  # fmt: skip
"""What the Functions host reads, and nobody of ours."""
DURABLE_SETTINGS = {"DURABLE_TASK_SCHEDULER_CONNECTION_STRING"}


def test_the_function_app_gets_every_setting_that_it_reads_and_no_other() -> None:
    given = bicep.variable_of(FUNCTION_APP, "everySetting").keys()
    assert given == names(FunctionSettings).keys() - {"RECORDS"} | {"RECORDS__fullyQualifiedNamespace"}
    assert bicep.variable_of(FUNCTION_APP, "hostSettings").keys() == HOST_SETTINGS
    durable = bicep.objects_in(FUNCTION_APP.variables["durableSettings"])[-1]
    assert set(bicep.keys(durable)) == DURABLE_SETTINGS


def test_each_backend_has_its_provider_in_the_packaged_host_json_and_none_in_app_settings() -> None:
    """Scale controllers read the file, not settings that override it (azure-functions-durable-extension issue 2622)."""
    allowed = re.search(r"@allowed\(\[([^]]*)\]\)\nparam durableBackend string = '(\w+)'", MAIN.text)
    assert allowed
    assert set(re.findall(r"'(\w+)'", allowed[1])) == set(package_functions.backends())
    host = (ROOT / "host.json").read_bytes()
    packed = {
        name: json.loads(package_functions.host_json(host, name))["extensions"]["durableTask"]
        for name in package_functions.backends()
    }
    assert packed[allowed[2]] == json.loads(host)["extensions"]["durableTask"], "azd takes the file as it is"
    assert packed["scheduler"]["storageProvider"]["connectionStringName"] in DURABLE_SETTINGS
    assert {name: each["storageProvider"]["type"] for name, each in packed.items()} == {
        "storage": "AzureStorage", "scheduler": "azureManaged",
    }  # fmt: skip
    assert not any("AzureFunctionsJobHost__extensions__durableTask" in file.text for file in FILES)


def test_an_instance_works_on_as_many_requests_as_it_is_given() -> None:
    """The plan hands out `httpConcurrency`, the host works on `maxConcurrentRequests`; host.json has the default."""
    given = bicep.variable_of(FUNCTION_APP, "hostSettings")
    assert given["AzureFunctionsJobHost__extensions__http__maxConcurrentRequests"] == "string(httpConcurrency)"
    assert "perInstanceConcurrency: httpConcurrency" in FUNCTION_APP.text
    limit = json.loads((ROOT / "host.json").read_text())["extensions"]["http"]["maxConcurrentRequests"]
    assert f"\nparam httpConcurrency int = {limit}\n" in MAIN.text


def test_a_relay_gets_every_setting_that_it_reads_and_no_other() -> None:
    given = bicep.variable_of(RELAY, "everySetting").keys()
    identity = {"AZURE_CLIENT_ID"}  # azure-identity reads it
    assert given == names(RelaySettings).keys() - {"MASK_KEY"} | identity
    assert "{ name: 'MASK_KEY', secretRef: 'mask-key' }" in RELAY.text


@pytest.mark.parametrize(("file", "of"), [(FUNCTION_APP, FunctionSettings), (RELAY, RelaySettings)])
def test_what_is_written_as_a_default_is_the_default(file: File, of: type[FunctionSettings | RelaySettings]) -> None:
    known = names(of)
    for name, text in bicep.variable_of(file, "everySetting").items():
        default = known.get(name, ("", None))[1]
        if re.fullmatch(r"'[^$]*'", text) and default is not None:
            assert text == f"'{default}'", name


def test_relays_are_told_as_their_setting_is_read() -> None:
    service = BY_PATH[(INFRA / "service.bicep").resolve()]
    loop = r"(?m)^var {} = \[for {}: '(.+)'\]$"
    (named,) = re.findall(loop.format("relayNames", r"shard in range\(0, shardCount\)"), service.text)
    (told,) = re.findall(loop.format("relays", r"\(relay, shard\) in relayNames"), FUNCTION_APP.text)
    names_of = [filled(named, name="n", shard=str(shard)) for shard in range(2)]
    each = [filled(told, relay=name, relayDomain="d.io", shard=str(at)) for at, name in enumerate(names_of)]
    required = {name: "x" for name, (_, default) in names(FunctionSettings).items() if default is None}
    relays = FunctionSettings.read(required | {"RELAYS": " ".join(each)}).relays
    assert [(each.name, each.address, each.control) for each in relays] == [
        ("r0", "wss://ca-n-r0.d.io", "https://ca-n-r0.d.io"),
        ("r1", "wss://ca-n-r1.d.io", "https://ca-n-r1.d.io"),
    ]
    assert "RELAYS: join(relays, ' ')" in FUNCTION_APP.text
    assert "shard: 'r${shard}'" in service.text, "a relay knows itself by the same name"


def filled(text: str, **values: str) -> str:
    """A string of Bicep with what it interpolates; KeyError where nobody knows that."""
    return re.sub(r"\$\{(\w+)\}", lambda found: values[found.group(1)], text)


def test_azd_finds_what_it_deploys_to() -> None:
    assert "azd-service-name': 'api'" in FUNCTION_APP.text
    assert re.search(r"(?m)^  api:$", (ROOT / "azure.yaml").read_text())
    assert "output AZURE_RESOURCE_GROUP string = group.name" in MAIN.text, "azd would guess a group by its own name"


def test_every_parameter_is_documented_with_its_meaning_and_default() -> None:
    rows = re.findall(r"(?m)^\| `(\w+)` \| (.+) \| (.+) \|$", (ROOT / "docs" / "deploy.md").read_text())
    told = {name: (meaning, default) for name, meaning, default in rows}
    assert told.keys() == MAIN.parameters.keys()
    for parameter in MAIN.parameters.values():
        meaning, default = told[parameter.name]
        assert meaning == parameter.decorators["description"].strip("'").replace("\\'", "'")
        given = re.search(rf"(?m)^param {parameter.name} \S+ = (.+)$", MAIN.text)
        empty = given and given.group(1) == "''"
        assert default == ("empty" if empty else f"`{given.group(1)}`" if given else "must be given")


LONGEST = {
    "st": 24, "kv": 24, "evhns": 50, "func": 60, "dts": 64, "cr": 50, "stapp": 40, "ca": 32, "rg": 90,
}  # fmt: skip
"""Characters that Azure takes in a name, by what we begin it with."""


def test_names_fit_azure_also_for_the_longest_installation() -> None:
    service = BY_PATH[(INFRA / "service.bicep").resolve()]
    text = service.text.replace("${name}", "n" * 8).replace("${token}", "t" * 8).replace("${shard}", "15")
    found = re.findall(r"'((?:st|kv|evhns|func|dts|cr|stapp|ca)-?n{8}[\w-]*)'", text)
    assert len(found) >= 9
    for name in found:
        begins = re.match(r"[a-z]+?(?=-|n{8})", name)
        assert begins
        assert len(name) <= LONGEST[begins.group()], name
        assert "-" not in name or begins.group() not in ("st", "cr"), name
    assert MAIN.parameters["name"].decorators["maxLength"] == "8"


# --- each check can fail ---------------------------------------------------------------------------------------------

INNER = bicep.read_text("@description('a')\nparam a string\n@description('b')\nparam b string?\noutput o string = a\n")
INSIDE = {Path("inner.bicep").resolve(): INNER}


@pytest.mark.parametrize(
    ("given", "uses", "problem"),
    [
        ("", "", "does not give a"),
        ("a: '1'\n c: '2'", "", "gives c, which x.bicep does not take"),
        ("a: '1'", "output x string = m.outputs.p", "has no output p"),
        ("a: '1'", "output x string = m!.outputs.p", "has no output p"),
        ("a: '1'", "output x string = m.outputs.o", None),
    ],
)
def test_a_module_call_that_does_not_fit_is_told(given: str, uses: str, problem: str | None) -> None:
    text = f"module m 'inner.bicep' = {{\n name: 'm'\n params: {{\n {given}\n }}\n}}\n{uses}\n"
    found = list(checks.module_problems(bicep.read_text(text), INSIDE))
    assert (problem is None and not found) or (problem and problem in found[0])


def test_a_module_that_is_not_there_is_told() -> None:
    file = bicep.read_text("module m 'none.bicep' = {\n name: 'm'\n}\n")
    assert "not there" in next(iter(checks.module_problems(file, INSIDE)))


@pytest.mark.parametrize("text", ["param", "resource x 'y' = {", "param x string = = 1", "var a = ["])
def test_what_is_no_bicep_is_told(text: str) -> None:
    assert bicep.broken(text)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (checks.description_problems, "param a string\n"),
        (checks.description_problems, "@description('')\nparam a string\n"),
        (checks.description_problems, "output a string = 'x'\n"),
        (checks.unused_problems, "param a string\n"),
        (checks.unused_problems, "var a = 1\n"),
        (checks.late_problems, "var a = [for i in range(0, 2): '${i}${m.outputs.o}']\n"),
        (checks.late_problems, "var a = r.properties.x\nvar b = '${a}'\nvar c = [for i in range(0, 2): '${b}${i}']\n"),
        (checks.secret_problems, "param clientSecret string\n"),
        (checks.secret_problems, "output password string = 'x'\n"),
        (checks.version_problems, "resource a 'Microsoft.Web/sites@2019-01-01' = {\n}\n"),
        (checks.version_problems, "resource a 'Microsoft.Unknown/things@2025-01-01' = {\n}\n"),
    ],
)
def test_what_is_wrong_in_a_file_is_told(check: object, text: str) -> None:
    assert callable(check)
    assert list(check(bicep.read_text(text)))


GOOD = "using 'main.bicep'\nparam name = 'x'\nparam location = 'y'\nparam apiClientId = 'z'\nparam pageClientId = 'w'\n"


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("", None),
        ("param nobody = 'x'", "does not take"),
        ("param shardCount = 'two'", "where int is wanted"),
        ("param shardCount = 99", "where 1 to 16 is wanted"),
        ("param durableBackend = 'redis'", "where one of"),
        ("param maskKey = 'written-down'", "must come from the environment"),
        ("param tags = [", "line"),
    ],
)
def test_a_parameter_file_that_does_not_fit_is_told(more: str, problem: str | None) -> None:
    found = list(checks.parameter_file_problems(GOOD + more, MAIN))
    assert (problem is None and not found) or (problem and problem in found[0])


def test_a_parameter_file_that_lacks_something_is_told() -> None:
    found = list(checks.parameter_file_problems("using 'other.bicep'\nparam name = 'x'\n", MAIN))
    assert any("not main.bicep" in each for each in found)
    assert any("does not give location" in each for each in found)
