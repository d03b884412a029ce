"""What may be done to a VM beside typing."""

from enum import StrEnum

from shared.access.rights import Right


class Command(StrEnum):
    RESET = "reset"
    """The power button held down: nothing in the guest is asked."""
    RESTART = "restart"
    START = "start"
    STOP = "stop"
    """Deallocates: a VM that is only powered off is still paid for."""
    NMI = "nmi"
    SYSRQ = "sysrq"

    @property
    def right(self) -> Right:
        return Right.NMI if self in (Command.NMI, Command.SYSRQ) else Right.POWER

    @property
    def down_the_line(self) -> bool:
        """Goes through the serial gateway of the open console; the others through Azure Resource Manager."""
        return self in (Command.RESET, Command.NMI, Command.SYSRQ)
