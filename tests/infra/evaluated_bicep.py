"""What a Bicep file would deploy, worked out without a compiler: enough of the language for registrations in Entra ID.

Resources, variables and outputs become values of Python. What only Azure knows (`api.appId`) becomes its own text in
angle brackets. What this does not understand raises NotUnderstood: nothing is passed over.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tree_sitter import Node

from tests.infra.bicep import broken, parsed, text_of


class NotUnderstood(Exception):
    """The file does not parse, or uses a part of the language that is not read here."""


@dataclass
class Deployed:
    """`resources` by symbol: type and properties, a list of them for a loop; None where the condition is not met."""

    resources: dict[str, Any] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)


def deploy(
    text: str, given: dict[str, Any] | None = None, *, tenant: str = "t0", cloud: str = "AzureCloud"
) -> Deployed:
    """Parameters are those `given` or their defaults. Raises NotUnderstood."""
    root = parsed(text)
    if wrong := broken(text):
        raise NotUnderstood(wrong[0])
    done = Deployed()
    reader = _Reader(done, {"tenant": {"tenantId": tenant}, "environment": {"name": cloud}})
    for node in root.named_children:
        reader.declare(node, given or {})
    return done


@dataclass
class _Reader:
    done: Deployed
    known: dict[str, dict[str, str]]
    """Functions without arguments, and the properties of what they answer."""

    def declare(self, node: Node, given: dict[str, Any]) -> None:
        parts = [part for part in node.named_children if part.type != "decorators"]
        match node.type:
            case "metadata_declaration" | "comment" | "diagnostic_comment" | "decorators":
                return
            case "parameter_declaration":
                name = text_of(parts[0])
                self.done.values[name] = given[name] if name in given else self.value(parts[-1])
            case "variable_declaration":
                self.done.values[text_of(parts[0])] = self.value(parts[-1])
            case "output_declaration":
                self.done.outputs[text_of(parts[0])] = self.value(parts[-1])
            case "resource_declaration":
                name = text_of(parts[0])
                self.done.kinds[name] = self.value(parts[1])
                self.done.resources[name] = self.value(parts[-1])
            case other:
                raise NotUnderstood(other)

    def value(self, node: Node) -> Any:
        reader = getattr(self, f"_{node.type}", None)
        if reader is None:
            raise NotUnderstood(f"line {node.start_point.row + 1}: {node.type}")
        return reader(node)

    def _object(self, node: Node) -> dict[str, Any]:
        pairs = [p.named_children for p in node.named_children if p.type == "object_property"]
        return {text_of(key): self.value(value) for key, value in pairs}

    def _array(self, node: Node) -> list[Any]:
        return [self.value(each) for each in node.named_children if each.type != "comment"]

    def _identifier(self, node: Node) -> Any:
        name = text_of(node)
        if name not in self.done.values:
            raise NotUnderstood(f"{name} is not declared before it is used")
        return self.done.values[name]

    def _string(self, node: Node) -> str:
        return "".join(str(self.value(part)) for part in node.named_children)

    def _string_content(self, node: Node) -> str:
        return text_of(node)

    def _escape_sequence(self, node: Node) -> str:
        return text_of(node)[1:]

    def _interpolation(self, node: Node) -> Any:
        return self.value(node.named_children[0])

    def _boolean(self, node: Node) -> bool:
        return text_of(node) == "true"

    def _number(self, node: Node) -> int:
        return int(text_of(node))

    def _parenthesized_expression(self, node: Node) -> Any:
        return self.value(node.named_children[0])

    def _unary_expression(self, node: Node) -> bool:
        return not self.value(node.named_children[0])

    def _ternary_expression(self, node: Node) -> Any:
        condition, yes, no = node.named_children
        return self.value(yes if self.value(condition) else no)

    def _if_statement(self, node: Node) -> Any:
        condition, body = node.named_children
        return self.value(body) if self.value(condition) else None

    def _for_statement(self, node: Node) -> list[Any]:
        variable, over, body = node.named_children
        name = text_of(variable)
        answers = []
        for each in self.value(over):
            self.done.values[name] = each
            answers.append(self.value(body))
        self.done.values.pop(name, None)
        return answers

    def _subscript_expression(self, node: Node) -> Any:
        of, key = node.named_children
        return self.value(of)[self.value(key)]

    def _member_expression(self, node: Node) -> Any:
        of, key = node.named_children
        name = text_of(of)
        if name in self.done.resources:
            about = self.done.resources[name]
            return about.get(text_of(key), f"<{text_of(node)}>")
        return self.value(of)[text_of(key)]

    def _call_expression(self, node: Node) -> Any:
        name, *arguments = (text_of(node.named_children[0]), *node.named_children[1].named_children)
        given = [self.value(each) for each in arguments]
        match name:
            case "guid":
                return str(uuid5(NAMESPACE_URL, "-".join(given)))
            case "empty":
                return not given[0]
            case _ if name in self.known:
                return self.known[name]
            case _:
                raise NotUnderstood(f"the function {name}")
