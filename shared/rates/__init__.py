"""Rates: calls per time, taken from token buckets."""

from shared.rates.memory import MemoryRates
from shared.rates.port import Rates, Taken
from shared.settings import Settings

__all__ = ["MemoryRates", "Rates", "Taken", "open_rates"]


def open_rates(settings: Settings) -> Rates:
    """Redis when `redis_url` is set, so that several gateways share the buckets; else this process's memory."""
    if settings.redis_url is not None:
        from shared.rates.redis import RedisRates

        return RedisRates(settings.redis_url.reveal(), settings.index_prefix)
    return MemoryRates()
