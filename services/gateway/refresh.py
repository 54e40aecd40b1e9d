"""Once a second: keys as the database has them, quotas, and the usage that was counted. Policy never waits for it."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from services.gateway.logic import keys, search_records, usage
from services.gateway.policy.state import State
from shared.database import Database, utc_now
from shared.errors import Refused

log = logging.getLogger(__name__)

EVERY_S = 1.0


class Refresher:
    """With the database away the keys that were known stay good, and what was counted waits."""

    def __init__(
        self, database: Database, state: State, flusher: usage.Flusher, home: Path, records: search_records.Records
    ) -> None:
        self._database, self._state, self._flusher, self._home = database, state, flusher, home
        self._records = records
        self._seen: tuple[int, ...] | None = None
        self._quotas: dict[str, int] = {}
        self._has_admin = False
        self._away = False
        self._stop = threading.Event()
        self._refreshing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="gateway-refresh", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and stores what is still only counted."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self.turn()

    def turn(self) -> None:
        """One round. Never raises: what could not be done now is done by a later one."""
        try:
            if not self._has_admin:
                keys.first_admin_key(self._database, self._home)
                self._has_admin = True
            self.load_keys()
            self._flusher.flush()
            self._records.turn()
            self._load_quotas()
            self._away = False
        except Refused as refused:
            if not self._away:
                log.warning("the gateway's database is away, known keys stay good: %s", refused)
            self._away = True
        except Exception:
            log.exception("refreshing keys and usage failed")

    def load_keys(self) -> None:
        """Reads all keys if any changed. Also called right after a change made here, so that it holds at once."""
        with self._refreshing, self._database.read() as session:
            seen = keys.keys_fingerprint(session)
            if seen == self._seen:
                return
            records = keys.key_records(session)
            self._seen = seen
            self._state.keys = records
            self._quotas = keys.quota_keys(records)

    def _load_quotas(self) -> None:
        if not self._quotas:
            if self._state.quota_left:
                self._state.quota_left = {}
            return
        since = keys.months_beginning(utc_now())
        used = usage.calls_this_month(self._database, list(self._quotas), since)
        self._state.quota_left = {
            key_id: quota - used.get(key_id, 0) - self._flusher.unstored(key_id)
            for key_id, quota in self._quotas.items()
        }

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            self.turn()
