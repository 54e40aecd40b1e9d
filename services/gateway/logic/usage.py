"""Usage: what was counted in memory is stored each second, and read back by organisation."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from services.gateway.metering import Counted, Meter
from services.gateway.store import usage
from services.gateway.store.api_key import ApiKey
from services.gateway.store.organisation import visible
from shared.database import Database, utc_now
from shared.identity import Principal


@dataclass(frozen=True, slots=True)
class UsageLine:
    hour: datetime
    key_id: str
    route: str
    calls: int
    errors: int


@dataclass(slots=True)
class _Batch:
    id: str
    hour: datetime
    counted: Mapping[tuple[str, str], Counted]


class Flusher:
    """Moves counts from the meter to the database. A flush whose fate is not known is sent again under its own id."""

    def __init__(self, database: Database, meter: Meter) -> None:
        self._database, self._meter = database, meter
        self._unsure: _Batch | None = None
        self._one_at_a_time = threading.Lock()

    def flush(self) -> None:
        """Raises what the database raises; nothing that was counted is lost by it."""
        with self._one_at_a_time:
            batch = self._unsure or self._next()
            if batch is None:
                return
            self._unsure = batch
            with self._database.write() as session:
                usage.add(session, batch.id, utc_now(), batch.hour, batch.counted)
            self._unsure = None

    def unstored(self, key_id: str) -> int:
        """Successful calls of this key that are not in the database yet."""
        batch = self._unsure
        waiting = sum(each.calls for (key, _), each in batch.counted.items() if key == key_id) if batch else 0
        return waiting + self._meter.pending(key_id)

    def _next(self) -> _Batch | None:
        counted = self._meter.take()
        if not counted:
            return None
        hour = utc_now().replace(minute=0, second=0, microsecond=0)
        return _Batch(secrets.token_hex(16), hour, counted)


def usage_of(database: Database, principal: Principal, since: datetime, until: datetime) -> list[UsageLine]:
    """Hourly counts of the keys that the caller may see; for the operator also of callers without a key."""
    with database.read() as session:
        wanted: sa.ColumnElement[bool] = sa.true()
        if principal.role != "admin":
            keys = visible(session, principal, ApiKey).with_only_columns(ApiKey.id)
            wanted = usage.Usage.key_id.in_(keys)
        return [UsageLine(*row) for row in usage.by_hour(session, wanted, since, until)]


def calls_this_month(database: Database, key_ids: list[str], since: datetime) -> dict[str, int]:
    with database.read() as session:
        return usage.calls_since(session, key_ids, since)
