"""What must hold of the Bicep files. Each answers the problems it found, in words; a test shows that each can."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.infra.bicep import Call, File, of_parameter_file, text_of

KNOWN_VERSIONS = {
    "Microsoft.Web": "2025-03-01",
    "Microsoft.Storage": "2026-04-01",
    "Microsoft.EventHub": "2024-01-01",
    "Microsoft.KeyVault": "2026-02-01",
    "Microsoft.App": "2026-01-01",
    "Microsoft.OperationalInsights": "2026-03-01",
    "Microsoft.ManagedIdentity": "2024-11-30",
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.Authorization/roleDefinitions": "2022-04-01",
    "Microsoft.Authorization/locks": "2020-05-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    "Microsoft.Insights/metricAlerts": "2018-03-01",
    "Microsoft.Insights/workbooks": "2023-06-01",
    "Microsoft.Network/privateEndpoints": "2025-09-01",
    "Microsoft.Network/privateDnsZones": "2024-06-01",
    "Microsoft.Network/virtualNetworks": "2024-05-01",
    "Microsoft.Network/networkSecurityGroups": "2024-05-01",
    "Microsoft.DurableTask": "2026-02-01",
    "Microsoft.ContainerRegistry": "2025-04-01",
    "Microsoft.EventGrid": "2025-02-15",
    "Microsoft.Graph": "v1.0",
    "Microsoft.Resources": "2024-03-01",
}
"""API versions that exist, by provider or type: one for each, so that an upgrade is one change."""


def module_problems(file: File, others: Mapping[Path, File]) -> Iterator[str]:
    """Every module call gives what the module must have, and nothing that it does not know."""
    for call in file.calls:
        called = others.get((file.path.parent / call.path).resolve())
        if called is None:
            yield f"{file.name}: {call.symbol} uses {call.path}, which is not there"
            continue
        required = {each.name for each in called.parameters.values() if _is_required(each.kind, each.has_default)}
        yield from (f"{file.name}: {call.symbol} does not give {name}" for name in required - call.given)
        yield from (
            f"{file.name}: {call.symbol} gives {name}, which {called.name} does not take"
            for name in call.given - called.parameters.keys()
        )
        yield from _output_problems(file, call, called)


def _is_required(kind: str, has_default: bool) -> bool:  # noqa: FBT001 - called by position, here only
    return not has_default and not kind.endswith("?")


def _output_problems(file: File, call: Call, called: File) -> Iterator[str]:
    for symbol, name in file.outputs_used:
        if symbol == call.symbol and name not in called.outputs:
            yield f"{file.name}: {call.symbol} has no output {name}"


def description_problems(file: File) -> Iterator[str]:
    for parameter in file.parameters.values():
        if not parameter.decorators.get("description", "").strip("' "):
            yield f"{file.name}: the parameter {parameter.name} has no description"
    for name, decorators in file.outputs.items():
        if not decorators.get("description", "").strip("' "):
            yield f"{file.name}: the output {name} has no description"


def unused_problems(file: File) -> Iterator[str]:
    for name in (*file.parameters, *file.variables):
        if len(re.findall(rf"\b{name}\b", file.text)) < 2:
            yield f"{file.name}: {name} is not used"


_KNOWN_LATE = re.compile(r"\.outputs\b|\.properties\b|\blist\w+\(|\breference\(")
"""What only the deployment makes known."""


def late_problems(file: File) -> Iterator[str]:
    """A variable that is a loop takes what is known before anything is deployed (the compiler's BCP182)."""
    texts = {name: text_of(node) for name, node in file.variables.items()}
    late = {name for name, text in texts.items() if _KNOWN_LATE.search(text)}
    while more := {name for name, text in texts.items() if name not in late and _names_one_of(late, text)}:
        late |= more  # a variable is put where it is used
    yield from (
        f"{file.name}: the loop {name} takes what is known only during the deployment"
        for name in sorted(late)
        if file.variables[name].type == "for_statement"
    )


def _names_one_of(names: set[str], text: str) -> bool:
    return any(re.search(rf"(?<![\w.]){name}\b(?!:)", text) for name in names)


def secret_problems(file: File) -> Iterator[str]:
    """What is secret is marked so, has no default but the empty one, and leaves by no output."""
    for parameter in file.parameters.values():
        secret = re.search(r"(?i)secret|password|token$|maskKey", parameter.name)
        if secret and "secure" not in parameter.decorators:
            yield f"{file.name}: {parameter.name} looks secret and is not @secure()"
    for name in file.outputs:
        if re.search(r"(?i)secret|password|\bkey$", name):
            yield f"{file.name}: the output {name} looks secret"


def version_problems(file: File) -> Iterator[str]:
    for resource in file.resources:
        provider = resource.kind.partition("/")[0]
        best = max((each for each in KNOWN_VERSIONS if resource.kind.startswith(each)), key=len, default=provider)
        if (known := KNOWN_VERSIONS.get(best)) != resource.version:
            yield f"{file.name}: {resource.kind}@{resource.version}, where {known} is known to exist"


def parameter_file_problems(text: str, template: File) -> Iterator[str]:
    """A .bicepparam fits its template."""
    try:
        using, values = of_parameter_file(text)
    except ValueError as error:
        yield str(error)
        return
    if using != template.name:
        yield f"it uses {using!r}, not {template.name}"
    required = {each.name for each in template.parameters.values() if _is_required(each.kind, each.has_default)}
    yield from (f"it does not give {name}" for name in required - values.keys())
    for name, value in values.items():
        parameter = template.parameters.get(name)
        if parameter is None:
            yield f"it gives {name}, which the template does not take"
        else:
            yield from _value_problems(name, value, parameter.kind, parameter.decorators)


def _value_problems(name: str, value: str, kind: str, decorators: Mapping[str, str]) -> Iterator[str]:
    computed = value.startswith(("readEnvironmentVariable(", "bool(", "int(", "json("))
    shapes = {"string": r"'.*'", "int": r"\d+", "bool": "true|false", "object": r"(?s)\{.*\}", "array": r"(?s)\[.*\]"}
    if not computed and not re.fullmatch(shapes[kind.rstrip("?")], value):
        yield f"{name} is {value[:40]}, where {kind} is wanted"
    if "secure" in decorators and not computed:
        yield f"{name} is secret, and must come from the environment"
    if not computed and "allowed" in decorators and value not in decorators["allowed"]:
        yield f"{name} is {value}, where one of {decorators['allowed']} is wanted"
    if kind == "int" and value.isdecimal():
        least, most = int(decorators.get("minValue", 0)), int(decorators.get("maxValue", 10**9))
        if not least <= int(value) <= most:
            yield f"{name} is {value}, where {least} to {most} is wanted"


def role_assignments(file: File) -> Sequence[tuple[str, str]]:
    """(what identifies the role, what is opened) of each grant."""
    found = []
    for resource in file.resources:
        if resource.kind != "Microsoft.Authorization/roleAssignments":
            continue
        scope = re.search(r"scope: (\w+)", resource.body)
        role = re.search(r"roleDefinitions', (\w+)\)|roleDefinitionId: (\w+)\.id", resource.body)
        looped = re.search(r"for role in \[([^\]]+)\]", resource.body)
        assert role, resource.body
        names = [each.strip() for each in looped.group(1).split(",")] if looped else [role.group(1) or role.group(2)]
        found += [(_role_id(file, name), scope.group(1) if scope else "subscription") for name in names]
    return found


def _role_id(file: File, name: str) -> str:
    """Its GUID, or the symbol of a role that the file itself defines."""
    found = re.search(rf"var {name} = '([0-9a-f-]{{36}})'", file.text)
    return found.group(1) if found else name
