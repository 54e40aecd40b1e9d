"""What the rates port promises, in memory and in Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.errors import DependencyDown
from shared.rates import MemoryRates, Rates, open_rates
from shared.rates.redis import RedisRates
from shared.settings import Secret, Settings
from tests.contract.waiting import wait_until
from tools import devservers


@pytest.fixture
def redis_rates(distributed_settings: Callable[..., Settings]) -> Iterator[Callable[[], RedisRates]]:
    """Opens the buckets of one installation, as each of its gateways would."""
    settings = distributed_settings(without=("postgres", "elasticsearch"))
    assert settings.redis_url is not None
    url, opened = settings.redis_url.reveal(), []

    def open_one() -> RedisRates:
        # A busy test machine may take longer than a gateway would wait.
        opened.append(RedisRates(url, settings.index_prefix, timeout_s=5))
        return opened[-1]

    yield open_one
    for rates in opened:
        rates.close()


@pytest.fixture(params=["memory", "redis"])
def rates(request: pytest.FixtureRequest) -> Iterator[Rates]:
    made: Rates = MemoryRates() if request.param == "memory" else request.getfixturevalue("redis_rates")()
    yield made
    made.close()


def take_all(rates: Rates, key: str, capacity: int) -> int:
    taken = 0
    while rates.take(key, 1, capacity=capacity, refill_per_s=0).allowed:
        taken += 1
    return taken


def test_a_bucket_starts_full_and_gives_all_or_none(rates: Rates) -> None:
    assert rates.take("k", 7, capacity=10, refill_per_s=0).allowed
    refused = rates.take("k", 4, capacity=10, refill_per_s=0)
    assert (refused.allowed, refused.remaining, refused.degraded) == (False, 3, False)
    assert refused.retry_after_s > 0
    last = rates.take("k", 3, capacity=10, refill_per_s=0)
    assert (last.allowed, last.remaining) == (True, 0)


def test_a_bucket_refills_with_time_and_says_when(rates: Rates) -> None:
    assert rates.take("k", 10, capacity=10, refill_per_s=5).allowed
    refused = rates.take("k", 10, capacity=10, refill_per_s=5)
    assert not refused.allowed
    assert 1.0 < refused.retry_after_s <= 2.0
    wait_until(lambda: rates.take("k", 1, capacity=10, refill_per_s=5).allowed, "a token came back")


def test_keys_do_not_share(rates: Rates) -> None:
    assert take_all(rates, "org:甲 {x}*", 5) == 5
    assert take_all(rates, "org:乙", 5) == 5


def test_many_threads_get_exactly_what_there_is(rates: Rates) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(lambda _: take_all(rates, "k", 1000), range(8)))
    assert taken == 1000


def test_two_gateways_share_a_bucket_exactly(redis_rates: Callable[[], RedisRates]) -> None:
    first, second = redis_rates(), redis_rates()
    taken = 0
    while True:
        given = [rates.take("k", 1, capacity=2000, refill_per_s=0).allowed for rates in (first, second)]
        taken += sum(given)
        if not any(given):
            break
    assert taken == 2000


def test_what_a_gateway_leased_and_did_not_use_goes_back(redis_rates: Callable[[], RedisRates]) -> None:
    idle, busy = redis_rates(), redis_rates()
    assert idle.take("k", 1, capacity=1000, refill_per_s=0).allowed
    taken = take_all(busy, "k", 1000)
    # The idle gateway holds at most 1 % of the limit, and only for a moment.
    assert taken >= 1000 - 1000 // 100
    total = [taken]

    def rest() -> bool:
        total[0] += take_all(busy, "k", 1000)
        return total[0] == 999

    wait_until(rest, "the unused lease is back")


def test_a_gateway_that_closes_gives_back(redis_rates: Callable[[], RedisRates]) -> None:
    first, second = redis_rates(), redis_rates()
    first.take("k", 1, capacity=1000, refill_per_s=0)
    first.close()
    assert take_all(second, "k", 1000) == 999


def test_without_redis_it_counts_here_and_says_so_and_returns_when_redis_does() -> None:
    server = devservers.redis(own=True)
    rates = RedisRates(server.url, "t", timeout_s=2)
    try:
        assert not rates.take("k", 1, capacity=10, refill_per_s=0).degraded
        server.kill()
        taken = [rates.take("k", 1, capacity=10, refill_per_s=0) for _ in range(12)]
        assert [each.allowed for each in taken] == [True] * 10 + [False] * 2
        assert all(each.degraded for each in taken)
        with pytest.raises(DependencyDown):
            rates.ping()
        server.start()
        wait_until(lambda: not rates.take("j", 1, capacity=10**6, refill_per_s=0).degraded, "Redis counts again")
        assert rates.ping() == "redis"
    finally:
        rates.close()
        server.stop()


def test_a_flood_of_new_keys_does_not_refill_a_used_bucket() -> None:
    clock = [0.0]
    rates = MemoryRates(lambda: clock[0], most_buckets=100)
    assert take_all(rates, "used up", 50) == 50
    for number in range(1000):
        rates.take(f"flood {number}", 1, capacity=50, refill_per_s=1)
    assert not rates.take("used up", 1, capacity=50, refill_per_s=0).allowed
    clock[0] = 10.0
    assert not rates.take("used up", 1, capacity=50, refill_per_s=0).allowed


def test_settings_pick_the_adapter(embedded_settings: Callable[..., Settings]) -> None:
    settings = embedded_settings()
    assert isinstance(open_rates(settings), MemoryRates)
    assert isinstance(open_rates(settings.with_(redis_url=Secret("redis://127.0.0.1:1/0"))), RedisRates)
