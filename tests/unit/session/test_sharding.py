import pytest

from shared.session.sharding import owner

CONSOLES = [f"/subscriptions/s/virtualmachines/{number}" for number in range(2000)]


def test_consoles_are_spread_evenly() -> None:
    shards = ["a", "b", "c", "d"]
    counts = [sum(owner(console, shards) == shard for console in CONSOLES) for shard in shards]
    assert all(400 < count < 600 for count in counts)


def test_a_new_shard_takes_its_share_and_moves_nothing_else() -> None:
    moved = [console for console in CONSOLES if owner(console, ["a", "b"]) != owner(console, ["a", "b", "c"])]
    assert all(owner(console, ["a", "b", "c"]) == "c" for console in moved)
    assert 550 < len(moved) < 800


def test_the_order_of_the_names_does_not_matter() -> None:
    assert [owner(c, ["a", "b", "c"]) for c in CONSOLES] == [owner(c, ["c", "a", "b"]) for c in CONSOLES]


def test_without_shards_nobody_owns_a_console() -> None:
    with pytest.raises(ValueError, match="empty"):
        owner("x", [])
