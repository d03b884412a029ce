"""Where files of tests run beside each other: which ones begin, and which stay together.

A file is run by one process, for its tests share what it has started. Files that mostly wait (for an engine that was
killed, a lease, a machine that boots) begin, so that the others have the processors meanwhile and nothing long is left
for the end.
"""

from pathlib import Path, PurePosixPath

import pytest
from xdist.scheduler import LoadScopeScheduling

from dev.stack import ROOT

STACKS = {
    "one stack": ("test_access", "test_console", "test_documented_commands", "test_keeping", "test_smoke"),
    "another stack": (
        "test_access_page", "test_boot_log", "test_faults", "test_page", "test_recordings_page", "test_sign_in",
        "test_transcript",
    ),
}  # fmt: skip
"""End-to-end files that share a stack: a process of tests starts one."""

_STACK_OF = {f"tests/e2e/{name}.py": stack for stack, names in STACKS.items() for name in names}

FIRST = (
    "tests/e2e",
    "tests/functions/test_fallback.py",
    "tests/functions/test_lock_on_the_engine.py",
    "tests/dev/functions_host/test_event_hub.py",
    "tests/functions/test_waiting.py",
    "tests/dev/functions_host/test_engine.py",
    "tests/functions/test_policies.py",
    "tests/contract/test_arm_lists.py",
    "tests/contract/test_arm_budget.py",
    "tests/infra/test_spool_disks.py",
    "tests/infra/test_compiles.py",
    "tests/functions/test_access_matrix.py",
    "tests/functions/test_replaced_worker.py",
    "tests/contract/test_arm_rights.py",
    "tests/contract/test_arm_failing.py",
    "tests/relay/test_process.py",
    "tests/dev/event_hubs/test_dotnet_client.py",
    "tests/contract/test_archiving_behind_dotnet.py",
    "tests/dev/gateway/test_process.py",
    "tests/dev/machines/test_qemu_machine.py",
    "tests/dev/functions_host/test_life.py",
    "tests/dev/functions_host/test_faults.py",
)
"""Files and folders that take longest, by the clock, the longest first."""


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # no types published
    """Hands out files, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return _STACK_OF.get(file, file)


def is_long(path: Path) -> bool:
    """Whether it is one of the files and folders that take longest."""
    return path.is_relative_to(ROOT) and path.relative_to(ROOT).as_posix() in FIRST


def sort(items: list[pytest.Item]) -> None:
    """Puts first what takes longest. Files that share a stack follow each other."""
    items.sort(key=lambda item: _place(item.path.relative_to(ROOT).as_posix()))


def _place(file: str) -> tuple[int, str]:
    folders = (str(each) for each in (PurePosixPath(file), *PurePosixPath(file).parents))
    places = [FIRST.index(each) for each in folders if each in FIRST]
    return min(places, default=len(FIRST)), _STACK_OF.get(file, "")
