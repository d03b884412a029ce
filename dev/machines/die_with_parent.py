"""Starts programs that cannot outlive us: the kernel kills them when this process dies, even by SIGKILL."""

from collections.abc import Sequence


def leashed(command: Sequence[str]) -> list[str]:
    """The command under util-linux's setpriv, which is part of every Debian and Ubuntu.

    The kernel ties this to the thread that forks, so start programs from the main thread only.
    """
    return ["setpriv", "--pdeathsig", "KILL", "--", *command]
