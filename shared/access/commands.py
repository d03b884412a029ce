"""The commands on a VM: reset, restart, start, stop, NMI and SysRq."""

from enum import StrEnum

from shared.access.rights import Right


class Command(StrEnum):
    RESET = "reset"
    """Like holding down the power button: the guest does not take part."""
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
        """True if the serial gateway of the open console carries it; Azure Resource Manager carries the others."""
        return self in (Command.RESET, Command.NMI, Command.SYSRQ)
