from shared.access.commands import Command
from shared.access.rights import Right


def test_each_act_has_a_right_and_a_way() -> None:
    assert {act: (act.right, act.down_the_line) for act in Command} == {
        Command.RESET: (Right.POWER, True),
        Command.RESTART: (Right.POWER, False),
        Command.START: (Right.POWER, False),
        Command.STOP: (Right.POWER, False),
        Command.NMI: (Right.NMI, True),
        Command.SYSRQ: (Right.NMI, True),
    }
