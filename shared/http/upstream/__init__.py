"""Upstreams: how one part of the platform calls another, in the same process or over HTTP."""

from shared.http.upstream.mounted import MountedUpstream
from shared.http.upstream.port import Request, Response, Upstream

__all__ = ["MountedUpstream", "Request", "Response", "Upstream", "open_upstream"]


def open_upstream(name: str, url: str) -> Upstream:
    """The service at `url`; `name` is what a refusal calls it when it is away."""
    from shared.http.upstream.over_http import HttpUpstream

    return HttpUpstream(name, url)
