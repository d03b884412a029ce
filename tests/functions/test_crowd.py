"""What the history of a crowd is held to: each rule finds what breaks it, and nothing else."""

import pytest

from tests.functions.crowd import Call, Crowd, faults

ADA, GRACE = "Ada", "Grace"


def grant(who: str, at: float, generation: int, takeover: str = "force", vm: str = "a") -> Call:
    return Call(vm, who, at, at + 1, 201, f"{vm}{generation}", generation, takeover)


def later(call: Call, at: float, code: str = "") -> Call:
    return Call(call.vm, call.who, at, at + 1, 200, call.session, call.generation, code=code)


def crowd(*openings: Call, attaches: tuple[Call, ...] = (), releases: tuple[Call, ...] = (),
          endings: tuple[Call, ...] = ()) -> Crowd:  # fmt: skip
    return Crowd([], ("a", "b"), "", list(openings), list(attaches), list(releases), list(endings))


FIRST, SECOND = grant(ADA, 0, 1), grant(GRACE, 10, 2)
NEVER = grant(GRACE, 10, 2, "never")
UNKNOWN = Call("a", GRACE, 10, 11, 0)


@pytest.mark.parametrize(
    ("history", "words"),
    [
        (crowd(FIRST, grant(GRACE, 10, 1)), "cannot both be"),
        (crowd(grant(ADA, 0, 2), grant(GRACE, 10, 1)), "cannot both be"),
        (crowd(FIRST, SECOND, attaches=(later(FIRST, 20),)), "after a newer one"),
        (crowd(FIRST, NEVER, attaches=(later(FIRST, 5),)), "might not displace"),
        (crowd(FIRST, attaches=(later(FIRST, 5),), endings=(later(FIRST, 20),)), "nobody had taken"),
        (crowd(FIRST, grant(GRACE, 10, 2, vm="b"), endings=(later(FIRST, 20),)), "nobody had taken"),
        (crowd(Call("a", ADA, 0, 1, 401, code="MfaRequired")), "refused"),
    ],
)
def test_what_no_lock_allows_is_found(history: Crowd, words: str) -> None:
    (fault,) = faults(history)
    assert words in fault


@pytest.mark.parametrize(
    "history",
    [
        crowd(FIRST, SECOND, attaches=(later(FIRST, 5), later(SECOND, 12)), endings=(later(FIRST, 12),)),
        crowd(FIRST, grant(GRACE, 0.5, 2), attaches=(later(FIRST, 1),)),
        crowd(FIRST, NEVER, attaches=(later(FIRST, 5),), releases=(later(FIRST, 9),)),
        crowd(FIRST, grant(ADA, 10, 2, "never"), attaches=(later(FIRST, 5),)),
        crowd(FIRST, grant(GRACE, 10, 2, "never")),
        crowd(FIRST, UNKNOWN, endings=(later(FIRST, 20),)),
        crowd(FIRST, grant(GRACE, 0, 1, vm="b"), Call("a", GRACE, 5, 6, 503, code="LockUnavailable")),
    ],
)
def test_what_a_lock_allows_is_none(history: Crowd) -> None:
    assert faults(history) == []
