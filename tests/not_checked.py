"""What a run did not check, by the reasons of what it skipped."""

from collections import defaultdict
from collections.abc import Iterable


def not_checked(skipped: Iterable[tuple[str, str]]) -> list[str]:
    """A line for each reason: how many tests, and in which files. `skipped`: tests by their node ids, and why."""
    nodes: dict[str, list[str]] = defaultdict(list)
    for node, why in skipped:
        nodes[why.removeprefix("Skipped: ")].append(node)
    return [f"{_counted(nodes[why])}: {why}" for why in sorted(nodes)]


def _counted(nodes: list[str]) -> str:
    files = sorted({node.partition("::")[0] for node in nodes})
    return f"{len(nodes)} {'test' if len(nodes) == 1 else 'tests'} of {', '.join(files)}"
