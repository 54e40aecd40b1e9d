"""Background work: a job is a row, one turn is a function, the outcome a value; the bell only says that work waits."""

from shared.jobs.bell import Bell, SilentBell, open_bell
from shared.jobs.job import Cancelled, Done, Failed, Job, LeaseLost, Outcome, Retry
from shared.jobs.store import Jobs
from shared.jobs.turn import Handler, JobRun, turn

__all__ = [
    "Bell",
    "Cancelled",
    "Done",
    "Failed",
    "Handler",
    "Job",
    "JobRun",
    "Jobs",
    "LeaseLost",
    "Outcome",
    "Retry",
    "SilentBell",
    "open_bell",
    "turn",
]
