"""What a job of many rows computes with: a release loaded in the worker, or the service of its provider.

For the worker alone: it computes with numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.models.inference.endpoints import Endpoints
from services.models.inference.release import open_release
from services.models.inference.sessions import Sessions
from services.models.inference.signature import Signature
from services.models.logic.job_counts import JobCounts


class Computing:
    """Answers of one attempt of a job, counted in `counts`."""

    def __init__(self, roots: Sequence[Path], endpoints: Endpoints, counts: JobCounts) -> None:
        self._roots, self._endpoints, self._counts = tuple(roots), endpoints, counts
        self._sessions = Sessions(roots)

    def signature(self, name: str, release: str) -> Signature:
        """Raises `UnknownRelease`."""
        return open_release(self._roots, name, release).signature

    def predict(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        """As the friendly call of `request["release"]`, with the refusals of that call."""
        release = request.pop("release", "")
        about = open_release(self._roots, name, release)
        if about.kind == "http":
            return self._counts.ask(self._endpoints, about, request, "zh")
        return self._counts.predict(self._sessions.get(name, release), request, "zh")
