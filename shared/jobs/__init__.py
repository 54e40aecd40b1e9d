"""Background work: a job is a row, one turn is a function, the outcome is a value; the bell only says that work waits."""

from shared.jobs.bell import Bell
from shared.jobs.job import Cancelled, Done, Failed, Job, JobRun, Outcome, Retry
from shared.jobs.store import Jobs
from shared.jobs.turn import Handler, turn

__all__ = ["Bell", "Cancelled", "Done", "Failed", "Handler", "Job", "JobRun", "Jobs", "Outcome", "Retry", "turn"]
