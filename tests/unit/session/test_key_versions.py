"""Rotation: whatever is signed can be verified by whoever learnt of the keys a moment ago."""

from hypothesis import given
from hypothesis import strategies as st

from shared.session.key_versions import LIST_SECONDS, PUBLIC_SECONDS, KeyVersion, public, signing

NOW = 1_800_000_000.0
OLD, NEW = KeyVersion("old", NOW - 1e6), KeyVersion("new", NOW - 1)


def test_the_first_version_of_a_key_signs_at_once() -> None:
    assert signing([NEW], NOW) == NEW


def test_a_new_version_is_public_before_it_signs() -> None:
    assert [each.name for each in public([OLD, NEW])] == ["new", "old"]
    assert signing([OLD, NEW], NOW) == OLD
    assert signing([OLD, NEW], NEW.created + PUBLIC_SECONDS) == NEW


def test_a_version_that_is_disabled_neither_signs_nor_counts() -> None:
    off = KeyVersion("new", NOW - 1e5, enabled=False)
    assert signing([OLD, off], NOW) == OLD
    assert public([OLD, off]) == [OLD]
    assert signing([off], NOW) is None


def test_a_version_signs_in_its_time_only_and_counts_for_ever() -> None:
    over = KeyVersion("over", NOW - 1e5, ends=NOW)
    early = KeyVersion("early", NOW - 1e5, begins=NOW + 1)
    assert signing([OLD, over, early], NOW) == OLD
    assert signing([over], NOW) is None
    assert {each.name for each in public([over, early])} == {"over", "early"}


@st.composite
def rotations(draw: st.DrawFn) -> list[KeyVersion]:
    """A key's versions as rotation makes them: one after the other, some of the old ones disabled later."""
    gaps = draw(st.lists(st.integers(PUBLIC_SECONDS + LIST_SECONDS, 10**7), min_size=1, max_size=5))
    times = [sum(gaps[: at + 1]) for at in range(len(gaps))]
    return [KeyVersion(str(at), float(time)) for at, time in enumerate(times)]


@given(
    versions=rotations(), after=st.floats(0, 1e8), lag=st.floats(0, LIST_SECONDS), other_lag=st.floats(0, LIST_SECONDS)
)
def test_what_one_instance_signs_every_other_instance_publishes(
    versions: list[KeyVersion], after: float, lag: float, other_lag: float
) -> None:
    """Each instance knows the versions as they were when it last asked, up to LIST_SECONDS ago."""
    now = versions[0].created + LIST_SECONDS + after

    def known(behind: float) -> list[KeyVersion]:
        return [each for each in versions if each.created <= now - behind]

    signer = signing(known(lag), now)
    assert signer is not None
    assert signer in public(known(other_lag))
