"""The server: granian's embedded RSGI server, held behind this one file so that another could replace it.

Hot routes (inference, event streams) are answered on the event loop; everything else is WSGI in a pool of threads
behind `wsgi_bridge`. granian is no public edge: put nginx in front of anything public.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any

import uvloop
from granian.constants import HTTPModes
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
STOP_S = 3.0
MOST_FILES = 65_536


def run(
    settings: Settings,
    wsgi: Any,
    hot: Sequence[HotRoute] = (),
    *,
    on_start: Callable[[], None] = lambda: None,
    on_ready: Callable[[], None] = lambda: None,
    on_stop: Callable[[], None] = lambda: None,
    public: bool = True,
) -> None:
    """Serves until SIGTERM or SIGINT; requests in work are finished first, for at most `DRAIN_S`.

    `public=False` for a service behind the gateway, whose calls all come from one address.
    """
    _port_must_be_free(settings)
    _allow_many_connections()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    all_pages_done = uvloop.run(
        _serve(settings, Application(settings, wsgi, hot, public=public), on_start, on_ready, on_stop)
    )
    if not all_pages_done:
        # Python joins the threads of a pool when it exits: one page that hangs would keep the process for ever.
        log.warning("a page did not end in time; the process ends without it")
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)


def _port_must_be_free(settings: Settings) -> None:
    """granian shares a port that another server already has, and the kernel would deal the calls out between them."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as wrong:
            raise SystemExit(f"cannot listen on {settings.host}:{settings.port}: {wrong.strerror}") from None


def _allow_many_connections() -> None:
    """The usual limit of 1,024 open files would let idle connections shut everyone out."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _serve(
    settings: Settings,
    application: Application,
    on_start: Callable[[], None],
    on_ready: Callable[[], None],
    on_stop: Callable[[], None],
) -> bool:
    """Whether every page had ended when the server did."""
    loop = asyncio.get_running_loop()
    server = Server(
        application,
        address=settings.host,
        port=settings.port,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        # No HTTP/2 without TLS: one framing less that a proxy in front could read differently.
        http=HTTPModes.http1,
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
            await asyncio.wait_for(asyncio.shield(serving), timeout=STOP_S)
    finally:
        await application.stop()
        await loop.run_in_executor(None, on_stop)
    return application.pages_done


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
