"""What an operator sees: one JSON line per event with its request id, and Prometheus metrics."""

from __future__ import annotations

import contextvars
import logging
import os
import re
import sys
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

REGISTRY = CollectorRegistry(auto_describe=True)
REQUESTS = Counter(
    "zhigai_requests_total",
    "Requests answered, by service, route class and status.",
    ["service", "route", "status"],
    registry=REGISTRY,
)
SECONDS = Histogram(
    "zhigai_request_seconds",
    "Time to answer, by service and route class.",
    ["service", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)

current_request: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")

_GIVEN_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")
_KEY = re.compile(r"zg_live_[A-Za-z0-9_]{6,}")


def request_id_of(given: str | None) -> str:
    """The caller's own request id when it is harmless, else a new one."""
    if given and _GIVEN_ID.match(given):
        return given
    return os.urandom(16).hex()


def _scrub(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """No API key ever reaches a log, whichever field it came in."""
    for name, value in event.items():
        if isinstance(value, str) and "zg_live_" in value:
            event[name] = _KEY.sub("zg_live_…", value)
    return event


def _add_request(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    request_id = current_request.get()
    if request_id:
        event.setdefault("request_id", request_id)
    return event


def configure_logging(level: str = "info") -> None:
    """Routes structlog and the standard library's loggers to standard error as JSON lines."""
    chain: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request,
        structlog.processors.format_exc_info,
        _scrub,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=chain,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("elastic_transport", "alembic", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def metrics() -> tuple[bytes, str]:
    """The metrics page and its content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
