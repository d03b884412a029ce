"""Decides once which kind of machine this computer can have, and makes machines of that kind.

CONSOLE_MACHINES=pty asks for the scripted stand-in; CONSOLE_MACHINE_ACCEL=kvm for hardware emulation, which is
faster but aborts on some nested hosts (the default, tcg, works everywhere).
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from dev.machines import images
from dev.machines.inventory import Spec
from dev.machines.machine import Machine, Observer
from dev.machines.packages import Say, UnavailableError
from dev.machines.qemu import QemuMachine
from dev.machines.scripted import PtyMachine

type Workshop = Callable[[Spec, Observer], Machine]


def open_workshop(home: Path, say: Say, environment: Mapping[str, str]) -> Workshop:
    """What makes machines here. Builds the images first if need be, which may take a minute: blocks."""
    if environment.get("CONSOLE_MACHINES") == "pty":
        say("simulated machines, as CONSOLE_MACHINES asks")
        return PtyMachine
    try:
        built = images.ensure(home, say)
    except UnavailableError as unavailable:
        say(f"simulated machines, as no real ones can be had: {unavailable}")
        return PtyMachine
    accel = environment.get("CONSOLE_MACHINE_ACCEL", "tcg")
    return lambda spec, observer: QemuMachine(spec, built, observer, accel=accel)
