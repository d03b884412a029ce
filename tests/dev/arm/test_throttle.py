"""The buckets, by the clock: what Microsoft's article says of them."""

from dataclasses import dataclass

import pytest

from dev.arm.refusals import RefusedError
from dev.arm.throttle import Throttle

ADA, GRACE, HERE, THERE = "ada", "grace", "s1", "s2"


@dataclass
class Clock:
    time: float = 0.0

    def __call__(self) -> float:
        return self.time


def refused(throttle: Throttle, method: str, who: str, where: str | None) -> RefusedError | None:
    try:
        throttle.admit(method, who, where)
    except RefusedError as error:
        return error
    return None


def admitted(throttle: Throttle, method: str, who: str = ADA, where: str | None = HERE) -> int:
    """How many requests pass until one does not."""
    passed = 0
    while (refusal := refused(throttle, method, who, where)) is None:
        passed += 1
    assert (refusal.status, refusal.code) == (429, "SubscriptionRequestsThrottled")
    assert int(refusal.headers["Retry-After"]) > 0
    return passed


@pytest.mark.parametrize(
    ("method", "burst", "a_second"), [("GET", 250, 25), ("POST", 200, 10), ("PUT", 200, 10), ("DELETE", 200, 10)]
)
def test_a_full_bucket_takes_a_burst_and_is_refilled_by_the_second(method: str, burst: int, a_second: int) -> None:
    clock = Clock()
    throttle = Throttle(now=clock)
    assert admitted(throttle, method) == burst
    clock.time = 1
    assert admitted(throttle, method) == a_second
    clock.time = 1000
    assert admitted(throttle, method) == burst


def test_kinds_principals_and_subscriptions_have_buckets_of_their_own() -> None:
    throttle = Throttle(now=Clock())
    assert admitted(throttle, "GET") == 250
    assert admitted(throttle, "POST") == 200
    assert admitted(throttle, "GET", GRACE) == 250
    assert admitted(throttle, "GET", ADA, THERE) == 250
    assert admitted(throttle, "GET", ADA, None) == 250


def test_all_principals_together_have_fifteen_times_as_much() -> None:
    throttle = Throttle(now=Clock())
    assert [admitted(throttle, "GET", f"p{number}") for number in range(17)] == [250] * 15 + [0, 0]


def test_whoever_is_refused_for_others_loses_nothing_of_their_own() -> None:
    clock = Clock()
    throttle = Throttle(now=clock)
    assert [admitted(throttle, "GET", f"p{number}") for number in range(15)] == [250] * 15
    assert [admitted(throttle, "GET") for _ in range(300)] == [0] * 300
    clock.time = 1
    assert admitted(throttle, "GET") == 250


def test_what_is_left_is_told() -> None:
    throttle = Throttle(now=Clock())
    assert throttle.admit("GET", ADA, HERE) == {"x-ms-ratelimit-remaining-subscription-reads": "249"}
    assert throttle.admit("DELETE", ADA, None) == {"x-ms-ratelimit-remaining-tenant-deletes": "199"}
    assert Throttle(None).admit("GET", ADA, HERE) == {}
