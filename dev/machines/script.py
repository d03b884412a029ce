"""What a scripted machine runs: a login and a fixed table of commands, on the tty it was started on.

Never a shell: nothing typed is executed. The tty itself is real (line discipline, echo, ^U, ^C), which is what a
console needs. Usage: python -m dev.machines.script HOST [--keys-only]. Exit codes: REBOOT, POWER_OFF.
"""

import fcntl
import os
import signal
import struct
import sys
import termios
import time

from dev.demo import GUEST_PASSWORD, GUEST_USER
from dev.machines import test_pattern

REBOOT, POWER_OFF = 3, 4
MOST_LINES = 100_000
"""Of `seq` and `say-hash`: a bound on what one command prints."""
TERMINAL = 0
HELP = "commands: dmesg echo exit help hostname id poweroff reboot say-hash seq stty uname whoami\n"


class Script:
    """One boot of the machine, until somebody reboots it or powers it off."""

    def __init__(self, host: str, *, keys_only: bool) -> None:
        self._host, self._keys_only = host, keys_only
        self._booted = time.monotonic()

    def run(self) -> int:
        self._boot()
        while True:
            self._greet()
            user = self._line(f"{self._host} login: ")
            if not user:
                continue
            if self._secret("Password: ") == GUEST_PASSWORD and user in {GUEST_USER, "root"} and not self._keys_only:
                if (end := self._shell(user)) is not None:
                    return end
            else:
                _print("Login incorrect\n")

    def _boot(self) -> None:
        self._kernel("SIMULATED MACHINE: a script on a pty, no kernel, no evidence for boots or rescues")
        self._kernel("Command line: console=ttyS0,115200n8")
        for device in range(8):
            self._kernel(f"simulated device {device} ready")

    def _greet(self) -> None:
        login = "SSH keys only. No user here has a password, so nobody can log in on this console."
        if not self._keys_only:
            login = f"demo machine. Log in as {GUEST_USER} (or root) with password {GUEST_PASSWORD}"
        _print(f"\n{self._host} (simulated): {login}\n\n")

    def _shell(self, user: str) -> int | None:
        """Answers commands until the user leaves (None) or ends this boot (its exit code)."""
        mark = "#" if user == "root" else "$"
        while (line := self._line(f"{user}@{self._host}:~{mark} ")) is not None:
            match line.split():
                case []:
                    continue
                case ["exit" | "logout"]:
                    break
                case ["reboot" | "poweroff" as act] if user == "root":
                    self._kernel("reboot: Restarting system" if act == "reboot" else "reboot: Power down")
                    return REBOOT if act == "reboot" else POWER_OFF
                case [command, *arguments]:
                    _print(self._answer(user, command, arguments))
        return None

    def _answer(self, user: str, command: str, arguments: list[str]) -> str:
        number = 0 if user == "root" else 1000
        fixed = {
            "dmesg": "[    0.000000] SIMULATED MACHINE\n",
            "help": HELP,
            "hostname": f"{self._host}\n",
            "id": f"uid={number}({user}) gid={number}({user})\n",
            "poweroff": "poweroff: Operation not permitted\n",
            "reboot": "reboot: Operation not permitted\n",
            "uname": "Linux (simulated)\n",
            "whoami": f"{user}\n",
        }
        return fixed.get(command) or _computed(command, arguments) or f"-sh: {command}: not found\n"

    def _kernel(self, text: str) -> None:
        _print(f"[{time.monotonic() - self._booted:12.6f}] {text}\n")

    def _line(self, prompt: str) -> str | None:
        """A line as the tty edited it; None on ^D."""
        _print(prompt)
        line = b""
        while not line.endswith(b"\n"):
            more = os.read(TERMINAL, 4096)
            if not more:
                return None
            line += more
        return line[:-1].decode(errors="replace")

    def _secret(self, prompt: str) -> str | None:
        _echo(on=False)
        line = self._line(prompt)
        _echo(on=True)
        _print("\n")
        return line


def _computed(command: str, arguments: list[str]) -> str | None:
    """The answer of a command that looks at its arguments."""
    match command, arguments:
        case "echo", words:
            return " ".join(words) + "\n"
        case "stty", ["size"]:
            return "{} {}\n".format(*_window())
        case "seq", [count] if count.isdigit():
            return "".join(f"{number + 1}\n" for number in range(min(int(count), MOST_LINES)))
        case "say-hash", [count, seed] if count.isdigit() and seed.isdigit():
            # The tty turns LF into CR LF.
            return test_pattern.transcript(min(int(count), MOST_LINES), int(seed)).decode().replace("\r\n", "\n")
        case _:
            return None


def _print(text: str) -> None:
    data = text.encode()
    while data:
        data = data[os.write(TERMINAL, data) :]


def _echo(*, on: bool) -> None:
    modes = termios.tcgetattr(TERMINAL)
    modes[3] = modes[3] | termios.ECHO if on else modes[3] & ~termios.ECHO
    termios.tcsetattr(TERMINAL, termios.TCSADRAIN, modes)


def _window() -> tuple[int, int]:
    rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(TERMINAL, termios.TIOCGWINSZ, bytes(8)))
    return rows, columns


def main() -> int:
    fcntl.ioctl(TERMINAL, termios.TIOCSCTTY, 0)  # ^C and hang-ups come from this tty
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    return Script(sys.argv[1], keys_only="--keys-only" in sys.argv[2:]).run()


if __name__ == "__main__":
    sys.exit(main())
