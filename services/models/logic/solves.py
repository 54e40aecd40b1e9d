"""Tools that take long: the call becomes a job of the caller, computed by the worker within the time it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.errors import Busy, Unauthenticated
from shared.identity import Principal
from shared.jobs import Job, Jobs

KIND = "solve"
MOST_OPEN = {"guest": 2, "organisation": 6}
"""Jobs of one caller that wait or run at once: the worker is shared."""
MOST_OPEN_TOGETHER = 60
_NOBODY = (
    "求解任务须属于某个调用者：请带密钥，或用 POST /api/v1/guests 取得访客凭证 / "
    "a job belongs to somebody: send a key, or a guest token from POST /api/v1/guests"
)


def submit(
    jobs: Jobs, principal: Principal, name: str, checked: Mapping[str, Any], language: str, key: str | None = None
) -> Job:
    """Accepts a call of component `name` that the runner has checked.

    Raises `Unauthenticated` for a caller to whom no job can belong, `Busy` when too many of the caller's jobs, or of
    all together, are open.
    """
    if principal.owner is None:
        raise Unauthenticated(reason=_NOBODY)
    args = {"component": name, "language": language, "request": dict(checked)}
    limit = MOST_OPEN["organisation" if principal.organisation else "guest"]
    if jobs.open_count(principal.owner) >= limit:
        raise Busy(what=f"您的求解任务（同时最多 {limit} 个）/ your jobs, at most {limit} at once", retry_after_s=10)
    if jobs.open_count() >= MOST_OPEN_TOGETHER:
        raise Busy(what="求解任务 / solver jobs", retry_after_s=30)
    return jobs.submit(KIND, args, principal, key)


def run(args: Mapping[str, Any], predict: Callable[[str, dict[str, Any], str], Any]) -> Any:
    """What the friendly call of a quick tool would have answered. `predict(name, request, language)`."""
    return predict(args["component"], dict(args["request"]), args["language"])
