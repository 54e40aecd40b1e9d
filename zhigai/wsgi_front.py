"""The front door of the all-in-one: API paths to the gateway, everything else to the portal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

GATEWAY_PREFIXES = ("/api/", "/v2/", "/internal/")
GATEWAY_PATHS = frozenset({"/api", "/v2", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"})


def is_gateway_path(path: str) -> bool:
    return path in GATEWAY_PATHS or path.startswith(GATEWAY_PREFIXES)


class Front:
    """WSGI: one address for the gateway and the portal."""

    def __init__(self, gateway: WSGIApplication, portal: WSGIApplication) -> None:
        self.gateway = gateway
        self._portal = portal

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        app = self.gateway if is_gateway_path(environ.get("PATH_INFO", "")) else self._portal
        return app(environ, start_response)
