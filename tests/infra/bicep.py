"""Reads Bicep files as far as the checks need it: there is no compiler to install, but there is a grammar."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

from dev.stack import ROOT

INFRA = ROOT / "infra"
_PARSER = Parser(Language(tree_sitter_bicep.language()))
_OUTPUT_OF = re.compile(r"\b(\w+)(?:\[\w+\])?!?\.outputs\.(\w+)")


_EXTENSION = re.compile(r"^extension \w+$", re.MULTILINE)


def parsed(text: str) -> Node:
    """The grammar (1.1.0) knows no extensions: that line says where types come from, and deploys nothing."""
    return _PARSER.parse(_EXTENSION.sub("", text).encode()).root_node


def broken(text: str) -> list[str]:
    """Where the grammar does not hold, a line each."""
    return [f"line {node.start_point[0] + 1}: {text_of(node)[:60]!r}" for node in _all(parsed(text)) if _is_wrong(node)]


def _is_wrong(node: Node) -> bool:
    return node.type == "ERROR" or node.is_missing


def _all(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _all(child)


def text_of(node: Node) -> str:
    return (node.text or b"").decode()


@dataclass(frozen=True)
class Parameter:
    name: str
    kind: str
    has_default: bool
    decorators: Mapping[str, str]
    """Arguments by name, as text."""


@dataclass(frozen=True)
class Call:
    """A module that is used."""

    symbol: str
    path: str
    given: frozenset[str]


@dataclass(frozen=True)
class Resource:
    symbol: str
    kind: str
    version: str
    body: str


@dataclass
class File:
    path: Path
    text: str
    parameters: dict[str, Parameter] = field(default_factory=dict[str, Parameter])
    outputs: dict[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Decorators by name."""
    calls: list[Call] = field(default_factory=list[Call])
    resources: list[Resource] = field(default_factory=list[Resource])
    variables: dict[str, Node] = field(default_factory=dict[str, Node])

    @cached_property
    def outputs_used(self) -> set[tuple[str, str]]:
        """(symbol of the module, name of the output)."""
        return {(symbol, name) for symbol, name in _OUTPUT_OF.findall(self.text)}

    @property
    def name(self) -> str:
        return self.path.name


def read(path: Path) -> File:
    return read_text(path.read_text(), path)


def read_text(text: str, path: Path = Path("x.bicep")) -> File:
    found, decorators = File(path, text), dict[str, str]()
    for node in parsed(text).named_children:
        if node.type == "decorators":
            decorators = _decorators(node)
            continue
        if "comment" in node.type:  # may stand between a declaration and its decorators
            continue
        _take(found, node, decorators)
        decorators = {}
    return found


def _take(found: File, node: Node, decorators: Mapping[str, str]) -> None:
    children = node.named_children
    match node.type:
        case "parameter_declaration":
            name, kind = text_of(children[0]), text_of(children[1])
            found.parameters[name] = Parameter(name, kind, len(children) > 2, decorators)
        case "output_declaration":
            found.outputs[text_of(children[0])] = decorators
        case "variable_declaration":
            found.variables[text_of(children[0])] = children[1]
        case "module_declaration":
            params = next((_value(each, "params") for each in _all(node) if each.type == "object"), None)
            given = frozenset(keys(params)) if params else frozenset[str]()
            found.calls.append(Call(text_of(children[0]), _string(children[1]), given))
        case "resource_declaration":
            kind, _, version = _string(children[1]).partition("@")
            found.resources.append(Resource(text_of(children[0]), kind, version, text_of(node)))
            for inner in node.children:
                _nested(found, inner, kind, version)
        case _:
            pass


def _nested(found: File, node: Node, kind: str, version: str) -> None:
    """Resources inside a resource."""
    for each in _all(node):
        if each.type == "resource_declaration":
            symbol, inner = text_of(each.named_children[0]), _string(each.named_children[1])
            found.resources.append(Resource(symbol, f"{kind}/{inner}", version, text_of(each)))


def _decorators(node: Node) -> dict[str, str]:
    found: dict[str, str] = {}
    for call in (each for each in _all(node) if each.type == "call_expression"):
        arguments = call.child_by_field_name("arguments")
        name = call.child_by_field_name("function")
        if name and arguments:
            found[text_of(name)] = text_of(arguments)[1:-1]
    return found


def _string(node: Node) -> str:
    return text_of(node).strip("'")


def properties(node: Node) -> list[tuple[str, Node]]:
    """Of an object: each name and its value."""
    return [
        (_string(each.named_children[0]), each.named_children[-1])
        for each in node.named_children
        if each.type == "object_property"
    ]


def keys(node: Node) -> list[str]:
    return [name for name, _ in properties(node)]


def _value(node: Node, name: str) -> Node | None:
    return next((value for key, value in properties(node) if key == name), None)


def objects_in(node: Node) -> list[Node]:
    """The objects that a value is made of: itself, or what it joins."""
    return [node] if node.type == "object" else [each for each in _all(node) if each.type == "object"]


def variable_of(file: File, name: str) -> dict[str, str]:
    """An object that is a variable, or the first that it joins: values as text."""
    return {key: text_of(value) for key, value in properties(objects_in(file.variables[name])[0])}


def of_parameter_file(text: str) -> tuple[str, dict[str, str]]:
    """The template that a .bicepparam uses, and its values as text. The grammar has no `param` with a value alone."""
    using = re.search(r"(?m)^using '([^']+)'", text)
    rest = re.sub(r"(?m)^using .*$", "", text)
    rest = re.sub(r"(?m)^param (\w+) =", r"var \1 =", rest)
    if problems := broken(rest):
        raise ValueError("; ".join(problems))
    values = {name: text_of(node) for name, node in read_text(rest).variables.items()}
    return (using.group(1) if using else ""), values


def files() -> Sequence[File]:
    return [read(path) for path in sorted(INFRA.rglob("*.bicep"))]
