"""What the terminal shows while something is set up or started: a line per step, a spinner where there is a person."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape


class StepFailed(Exception):
    """A step could not be done. The text says what failed, why, and how to mend it, for a person at a terminal."""


class Steps:
    """Prints steps. Without a terminal (CI, a pipe) each step is one plain line when it ends."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, stderr=False)

    @contextmanager
    def step(self, name: str) -> Iterator[Callable[[str], None]]:
        """Yields `say`, which shows what the step is doing now."""
        started = time.monotonic()
        with self.console.status(f"{escape(name)} ...") as status:

            def say(text: str) -> None:
                if self.console.is_terminal:
                    status.update(f"{escape(name)}: {escape(text)}")
                else:
                    self.console.print(f"      {escape(text)}", soft_wrap=True)

            try:
                yield say
            except BaseException:
                self.console.print(f"[red]fail[/]  {escape(name)}")
                raise
        seconds = time.monotonic() - started
        self.console.print(f"[green]ok[/]    {escape(name)} [dim]{seconds:.1f} s[/]")

    def say(self, text: str) -> None:
        self.console.print(f"      {escape(text)}", soft_wrap=True)

    def warn(self, text: str) -> None:
        self.console.print(f"[yellow]warn[/]  {escape(text)}", soft_wrap=True)

    def fail(self, text: str) -> None:
        self.console.print(f"[red]fail[/]  {escape(text)}", soft_wrap=True)
