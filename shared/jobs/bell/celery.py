"""Several machines: Celery over Redis carries job ids. Nothing it loses is lost: the sweeper rings again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from celery import Celery

from shared.settings import Settings

log = logging.getLogger(__name__)

TASK = "zhigai.turn"
VISIBILITY_S = 60
_AWAY_S = 2.0


def celery_app(settings: Settings, on_ring: Callable[[str], None] | None = None) -> Celery:
    """The Celery application; `on_ring` is what a worker does when the bell rings."""
    if settings.redis_url is None:
        raise ValueError("ZHIGAI_REDIS_URL is not set")
    app = Celery("zhigai", broker=settings.redis_url.reveal(), set_as_current=False)
    transport = {
        "visibility_timeout": VISIBILITY_S,
        # Redelivery is looked for every two seconds; by default it is about a hundred, whatever the timeout.
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "global_keyprefix": f"{settings.index_prefix}:",
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
    app.conf.update(
        task_default_queue="jobs",
        task_acks_late=True,
        # Safe because the row limits how often a job is tried.
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        result_backend=None,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        accept_content=["json"],
        task_serializer="json",
        broker_connection_timeout=2,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=transport,
        visibility_timeout=VISIBILITY_S,
        result_backend_transport_options={"visibility_timeout": VISIBILITY_S},
    )

    @app.task(name=TASK)  # type: ignore[untyped-decorator]
    def ring(job_id: str) -> None:
        if on_ring is not None:
            on_ring(job_id)

    return app


class CeleryBell:
    def __init__(self, settings: Settings) -> None:
        self._app = celery_app(settings)
        self._away_until = 0.0

    def ring(self, job_id: str) -> None:
        # While Redis is away each try would wait for its timeout; rows wait, and the worker looks at them itself.
        if time.monotonic() < self._away_until:
            return
        try:
            self._app.send_task(TASK, args=[job_id], retry=False, ignore_result=True)
        except Exception as wrong:
            self._away_until = time.monotonic() + _AWAY_S
            log.warning("the bell could not be rung for %s: %s", job_id, type(wrong).__name__)

    def close(self) -> None:
        self._app.close()
