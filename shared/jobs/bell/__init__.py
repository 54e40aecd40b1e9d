"""The bell: says that work waits. The job row owns the job, so a ring may be lost, doubled or late."""

from __future__ import annotations

from typing import Protocol

from shared.settings import Settings


class Bell(Protocol):
    def ring(self, job_id: str) -> None:
        """Wakes a worker. Never raises and never waits long: the sweeper rings again for jobs that still wait."""
        ...

    def close(self) -> None:
        """Lets go of what it holds."""
        ...


class SilentBell:
    """For processes that work the jobs themselves."""

    def ring(self, job_id: str) -> None:
        return

    def close(self) -> None:
        return


def open_bell(settings: Settings) -> Bell:
    """Celery over Redis when `redis_url` is set, else a child process of this one."""
    if settings.redis_url is not None:
        from shared.jobs.bell.celery import CeleryBell

        return CeleryBell(settings)
    from shared.jobs.bell.child_process import ChildProcessBell

    return ChildProcessBell(settings)
