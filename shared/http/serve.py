"""The server: granian's embedded RSGI server, held behind this one file so that another could replace it.

Hot routes (inference, event streams) are answered on the event loop; everything else is WSGI in a pool of threads
behind `wsgi_bridge`. granian is no public edge: put nginx in front of anything public.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

import uvloop
from granian.http import HTTP1Settings
from granian.server.embed import Server

from shared.http.call import HotRoute
from shared.http.rsgi import Application
from shared.settings import Settings

log = logging.getLogger(__name__)

BACKLOG = 2048
BACKPRESSURE = 8192
"""Connections held at once; the default of 128 was exhausted by 400 idle ones."""
HEADER_TIMEOUT_MS = 10_000
SWITCH_INTERVAL_S = 0.0005
"""One busy Python thread then costs inference less: 10,672 -> 1,472 instead of 171 req/s."""
DRAIN_S = 20.0


def run(
    settings: Settings,
    wsgi: Any,
    hot: Sequence[HotRoute] = (),
    *,
    on_start: Callable[[], None] = lambda: None,
    on_ready: Callable[[], None] = lambda: None,
    on_stop: Callable[[], None] = lambda: None,
) -> None:
    """Serves until SIGTERM or SIGINT; requests in work are finished first, for at most `DRAIN_S`."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    uvloop.run(_serve(settings, wsgi, hot, on_start, on_ready, on_stop))


async def _serve(
    settings: Settings,
    wsgi: Any,
    hot: Sequence[HotRoute],
    on_start: Callable[[], None],
    on_ready: Callable[[], None],
    on_stop: Callable[[], None],
) -> None:
    loop = asyncio.get_running_loop()
    application = Application(settings, wsgi, hot)
    server = Server(
        application,
        address=settings.host,
        port=settings.port,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        websockets=False,
        log_enabled=False,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=128 * 1024),
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await application.start()
        await loop.run_in_executor(None, on_start)
        serving = asyncio.ensure_future(server.serve())
        await _until_listening(settings, serving)
        on_ready()
        sys.stdout.flush()
        done, _ = await asyncio.wait([serving, asyncio.ensure_future(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
        if serving in done:
            raise SystemExit(f"the server ended: {serving.exception()}")
        await application.drain(DRAIN_S)
        server.stop()  # type: ignore[no-untyped-call]
        with contextlib.suppress(asyncio.TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(serving, timeout=5)
    finally:
        await application.stop()
        await loop.run_in_executor(None, on_stop)


async def _until_listening(settings: Settings, serving: asyncio.Future[Any]) -> None:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared, not bound
    for _ in range(500):
        if serving.done():
            raise SystemExit(f"cannot listen on {settings.host}:{settings.port}: {serving.exception()}")
        try:
            _, writer = await asyncio.open_connection(host, settings.port)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        return
    raise SystemExit(f"cannot listen on {settings.host}:{settings.port}")
