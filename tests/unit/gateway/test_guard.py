"""The guard before an upstream, turned by hand with its own clock."""

from __future__ import annotations

import pytest

from services.gateway.policy.guard import FAILURES, Guard
from shared.errors import Busy, DependencyDown
from shared.http.call import Call


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(clock: Clock) -> Guard:
    return Guard("catalog", most=16, when_slow=8, clock=clock)


def call() -> Call:
    return Call(method="GET", path="/", headers={}, address="")


def fail(guard: Guard) -> None:
    made = call()
    assert guard.enter(made) is None
    guard.answered(made, ok=False)
    guard.leave(made)


def test_five_failures_in_a_row_open_it_and_a_probe_closes_it(guard: Guard) -> None:
    for _ in range(FAILURES):
        assert not guard.is_open
        fail(guard)
    assert guard.is_open
    refusal = guard.enter(call())
    assert isinstance(refusal, DependencyDown)
    assert (refusal.dependency, refusal.retry_after_s) == ("catalog", 1)
    guard.close()
    assert guard.enter(call()) is None


def test_a_success_between_failures_keeps_it_closed(guard: Guard) -> None:
    for _ in range(FAILURES * 3):
        fail(guard)
        made = call()
        assert guard.enter(made) is None
        guard.answered(made, ok=True)
        guard.leave(made)
    assert not guard.is_open


def test_calls_that_stand_still_open_it_before_their_time_is_over(guard: Guard, clock: Clock) -> None:
    standing = [call() for _ in range(FAILURES)]
    for each in standing:
        assert guard.enter(each) is None
    clock.now += 1.9
    other = call()
    assert guard.enter(other) is None
    clock.now += 0.2
    assert isinstance(guard.enter(call()), DependencyDown)
    assert guard.is_open


def test_slow_calls_do_not_open_it_while_others_are_answered(guard: Guard, clock: Clock) -> None:
    for _ in range(FAILURES):
        assert guard.enter(call()) is None
    for _ in range(10):
        clock.now += 1.0
        made = call()
        assert guard.enter(made) is None
        guard.answered(made, ok=True)
        guard.leave(made)
    assert not guard.is_open


def test_a_slow_service_gets_only_its_share_of_threads_and_a_quick_one_all(guard: Guard, clock: Clock) -> None:
    calls = [call() for _ in range(16)]
    for each in calls:
        assert guard.enter(each) is None
    assert isinstance(guard.enter(call()), Busy)
    for each in calls:
        guard.leave(each)
    slow = [call() for _ in range(8)]
    for each in slow:
        assert guard.enter(each) is None
    assert guard.enter(call()) is None
    clock.now += 0.6
    assert isinstance(guard.enter(call()), Busy)


def test_reading_an_answer_slowly_is_not_the_services_fault(guard: Guard, clock: Clock) -> None:
    for _ in range(FAILURES):
        made = call()
        assert guard.enter(made) is None
        guard.answered(made, ok=True)
    clock.now += 60
    assert guard.enter(call()) is None


@pytest.mark.parametrize(
    ("status", "opens"), [(500, True), (504, True), (503, False), (400, False), (200, False), (0, False)]
)
def test_a_call_that_nobody_judged_is_judged_by_its_status(guard: Guard, status: int, opens: bool) -> None:
    # 503 is what a living service says of a component it has taken out; 0 is a client that went.
    for _ in range(FAILURES):
        made = call()
        assert guard.enter(made) is None
        made.status = status
        guard.leave(made)
    assert guard.is_open is opens


def test_inference_is_bounded_but_never_judged_by_how_long_it_takes(clock: Clock) -> None:
    guard = Guard("models", most=64, clock=clock)
    calls = [call() for _ in range(64)]
    for each in calls:
        assert guard.enter(each) is None
        clock.now += 1
    assert isinstance(guard.enter(call()), Busy)
    guard.leave(calls[0])
    assert guard.enter(call()) is None
