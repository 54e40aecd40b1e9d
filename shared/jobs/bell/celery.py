"""Several machines: Celery over Redis carries job ids. Nothing it loses is lost: the sweeper rings again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from celery import Celery

from shared.settings import Settings

log = logging.getLogger(__name__)

TASK = "zhigai.turn"
QUEUE = "zhigai"


def celery_app(settings: Settings, on_ring: Callable[[str], None] | None = None) -> Celery:
    """The Celery application; `on_ring` is what a worker does when the bell rings."""
    if settings.redis_url is None:
        raise ValueError("ZHIGAI_REDIS_URL is not set")
    app = Celery("zhigai", broker=settings.redis_url.reveal())
    queue = f"{settings.index_prefix}.{QUEUE}"
    app.conf.update(
        task_default_queue=queue,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        worker_max_memory_per_child=600_000,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        accept_content=["json"],
        task_serializer="json",
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": 60,
            "socket_timeout": 5,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
    )

    @app.task(name=TASK)  # type: ignore[untyped-decorator]
    def ring(job_id: str) -> None:
        if on_ring is not None:
            on_ring(job_id)

    return app


class CeleryBell:
    def __init__(self, settings: Settings) -> None:
        self._app = celery_app(settings)

    def ring(self, job_id: str) -> None:
        try:
            options: dict[str, Any] = {"retry": False, "ignore_result": True}
            self._app.send_task(TASK, args=[job_id], **options)
        except Exception as wrong:
            # Redis is away: the row waits, and the sweeper rings again.
            log.warning("the bell could not be rung for %s: %s", job_id, type(wrong).__name__)

    def close(self) -> None:
        self._app.close()
