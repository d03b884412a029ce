"""Which function a request is for, as the host's router finds it. Pure.

Functions are asked in the order of their names, in any case, and the first whose template, constraints and methods all
match is taken: a literal does not go before a parameter (Azure/azure-functions-host issues 3153, 6062 and 9876;
Azure/azure-webjobs-sdk-extensions, WebJobsRouteBuilder).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dev.functions_host.route_template import Template, Values, parse


@dataclass(frozen=True)
class Route[T]:
    """A function's template, and the target it leads to. `methods` None takes every method, also unheard-of ones."""

    name: str
    template: Template
    methods: frozenset[str] | None
    target: T = field(compare=False)


def route[T](name: str, template: str, methods: Iterable[str] | None, target: T) -> Route[T]:
    """The route of the function `name`; `template` with the prefix.

    Raises:
        BadTemplate: the real router would not take it.
        UnknownConstraint: a constraint that this host does not know.

    """
    accepted = frozenset(method.upper() for method in methods) if methods else None
    return Route(name, parse(template), accepted, target)


def in_order[T](routes: Iterable[Route[T]]) -> list[Route[T]]:
    """The routes as they are asked."""
    return sorted(routes, key=lambda made: made.name.upper())


def find[T](routes: Sequence[Route[T]], method: str, path: str) -> tuple[T, Values] | None:
    """The first route that takes this request, and its parameters; `path` as `request_path` gives it.

    A method that no route takes is nobody's address, as in Azure: None.
    """
    for made in routes:
        if (made.methods is None or method.upper() in made.methods) and (
            values := made.template.match(path)
        ) is not None:
            return made.target, values
    return None
