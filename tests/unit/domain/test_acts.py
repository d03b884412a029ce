from shared.domain.acts import Act
from shared.domain.rights import Right


def test_each_act_has_a_right_and_a_way() -> None:
    assert {act: (act.right, act.down_the_line) for act in Act} == {
        Act.RESET: (Right.POWER, True),
        Act.RESTART: (Right.POWER, False),
        Act.START: (Right.POWER, False),
        Act.STOP: (Right.POWER, False),
        Act.NMI: (Right.NMI, True),
        Act.SYSRQ: (Right.NMI, True),
    }
