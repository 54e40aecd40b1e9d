"""Job rows: submitted, claimed with a lease, kept alive, settled, reaped. One piece of code on both engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.database import CommonTables, Database, after_commit
from shared.database.rows import utc_now
from shared.errors import Conflict, IdempotencyMismatch, NotFound
from shared.fields import new_id
from shared.identity import Principal
from shared.jobs.bell import Bell
from shared.jobs.job import OPEN, Cancelled, Claim, Done, Failed, Job, LeaseLost, Outcome, Retry

MAX_LOST_LEASES = 3
RING_AGAIN = timedelta(seconds=2)
_RINGS_AT_ONCE = 100

_DEAD = {
    language: {
        "type": "/problems/job-dead",
        "title": title,
        "status": 500,
        "detail": detail.format(times=MAX_LOST_LEASES),
    }
    for language, title, detail in (
        ("zh", "任务中断", "执行进程连续 {times} 次中断，不再重试。请缩小数据后重新提交。"),
        ("en", "Job abandoned", "Its worker was lost {times} times; it is not tried again. Submit it with less data."),
    )
}


class Jobs:
    """The jobs of one service. All methods raise what `Database` raises while it is away."""

    def __init__(self, database: Database, tables: CommonTables, bell: Bell, service: str) -> None:
        self.database = database
        self._table, self._bell, self._service = tables.job, bell, service

    def submit(
        self, kind: str, args: Mapping[str, Any], principal: Principal, idempotency_key: str | None = None
    ) -> Job:
        """Accepts a job; within `Database.together` it is accepted with everything else or not at all.

        With the same key of the same owner the job accepted before is returned; `IdempotencyMismatch` when that was
        another job. Never fails because the bell is away: the sweeper rings again for rows that wait.
        """
        now = utc_now()
        row = {
            "id": new_id(self._service, "job"),
            "owner": principal.owner or "",
            "by": principal.actor,
            "kind": kind,
            "args": dict(args),
            "state": "queued",
            "due_at": now,
            "rung_at": now,
            "idempotency_key": idempotency_key,
            "created_at": now,
            "updated_at": now,
        }
        insert = (sqlite.insert if self.database.is_sqlite else postgresql.insert)(self._table).values(**row)
        with self.database.write() as session:
            made = session.execute(insert.on_conflict_do_nothing().returning(self._table)).mappings().first()
            if made is not None:
                after_commit(session, lambda: self._bell.ring(str(row["id"])))
                return _job(made)
            mine = sa.and_(self._table.c.owner == row["owner"], self._table.c.idempotency_key == idempotency_key)
            before = _job(session.execute(sa.select(self._table).where(mine)).mappings().one())
        if (before.kind, before.args) != (kind, dict(args)):
            raise IdempotencyMismatch(key=str(idempotency_key))
        return before

    def get(self, job_id: str, principal: Principal) -> Job:
        """The caller's job, or `NotFound`; the platform's administrator sees every job."""
        job = self._get(job_id)
        if principal.role == "admin" or (job.owner and job.owner == principal.owner):
            return job
        raise NotFound(kind="job", id=job_id[:80])

    def cancel(self, job_id: str, principal: Principal) -> Job:
        """Asks the job to stop: at once when it waits, at its next sign of progress when it runs.

        Raises `Conflict` when it has ended otherwise; cancelling twice is harmless.
        """
        self.get(job_id, principal)
        table, now = self._table, utc_now()
        waiting = table.c.state == "queued"
        asked = (
            sa.update(table)
            .where(table.c.id == job_id, table.c.state.in_(OPEN))
            .values(
                cancel=True,
                state=sa.case((waiting, "cancelled"), else_=table.c.state),
                finished_at=sa.case((waiting, now), else_=table.c.finished_at),
                updated_at=now,
            )
        )
        with self.database.write() as session:
            session.execute(asked)
        job = self._get(job_id)
        if not job.open and job.state != "cancelled":
            raise Conflict(kind="job", id=job_id, reason=f"已结束 / already {job.state}")
        return job

    def claim(self, now: datetime, lease_s: float) -> Claim | None:
        """Takes the job that has been due longest; None when there is none. Two callers never get the same attempt."""
        table, until = self._table, now + timedelta(seconds=lease_s)
        due = sa.and_(table.c.state == "queued", table.c.due_at <= now)
        if not self._any(due):
            # Idle workers look often, and a look must not take the write lock of SQLite.
            return None
        first = sa.select(table.c.id).where(due).order_by(table.c.due_at, table.c.id).limit(1)
        take = (
            sa.update(table)
            .where(table.c.id == first.with_for_update(skip_locked=True).scalar_subquery(), table.c.state == "queued")
            .values(state="running", attempt=table.c.attempt + 1, lease_until=until, updated_at=now)
            .returning(table)
        )
        with self.database.write() as session:
            row = session.execute(take).mappings().first()
        return None if row is None else Claim(_job(row), row["attempt"], until)

    def extend(self, claim: Claim, now: datetime, lease_s: float, progress: float, message: str) -> bool:
        """Says that the attempt lives and how far it is. False when it is to stop: cancelled, or the lease was lost."""
        alive = (
            sa.update(self._table)
            .where(self._held_by(claim))
            .values(
                lease_until=now + timedelta(seconds=lease_s),
                progress=min(max(progress, 0.0), 1.0),
                message=message[:400],
                updated_at=now,
            )
            .returning(self._table.c.cancel)
        )
        with self.database.write() as session:
            row = session.execute(alive).first()
        return row is not None and not row[0]

    def settle(self, claim: Claim, outcome: Outcome, now: datetime) -> bool:
        """Writes how the attempt ended. False, and nothing written, when the lease was lost meanwhile."""
        with self.database.write() as session:
            return self._settle(session, claim, outcome, now)

    def finish(self, session: Session, claim: Claim, result: Any, now: datetime) -> None:
        """Done, in the transaction of the effect: both are stored or neither. Raises `LeaseLost`."""
        if not self._settle(session, claim, Done(result), now):
            raise LeaseLost(job_id=claim.job.id, attempt=claim.attempt)

    def _settle(self, session: Session, claim: Claim, outcome: Outcome, now: datetime) -> bool:
        table = self._table
        values: dict[str, Any] = {"lease_until": None, "updated_at": now, "finished_at": now}
        match outcome:
            case Done(result):
                values |= {"state": "done", "result": result, "progress": 1.0, "message": ""}
            case Retry(at, message):
                state = sa.case((table.c.cancel, "cancelled"), else_="queued")
                values |= {"state": state, "due_at": at, "rung_at": None, "message": message[:400]}
                values["finished_at"] = sa.case((table.c.cancel, now), else_=None)
            case Failed(problem):
                values |= {"state": "failed", "problem": {language: dict(body) for language, body in problem.items()}}
            case Cancelled():
                values |= {"state": "cancelled"}
        done = session.execute(
            sa.update(table).where(self._held_by(claim)).values(**values).returning(table.c.id)
        ).first()
        return done is not None

    def reap(self, now: datetime) -> int:
        """Puts jobs whose lease ran out back in the queue; after three lost leases a job is dead, with the reason.

        How many leases had run out.
        """
        table = self._table
        lost = sa.and_(table.c.state == "running", table.c.lease_until < now)
        if not self._any(lost):
            return 0
        once_more = table.c.lost_leases + 1
        ended: dict[str, Any] = {"lost_leases": once_more, "lease_until": None, "updated_at": now, "finished_at": now}
        back = {"state": "queued", "lost_leases": once_more, "lease_until": None, "due_at": now, "rung_at": None}
        found = 0
        with self.database.write() as session:
            for condition, values in (
                (table.c.cancel, {**ended, "state": "cancelled"}),
                (once_more >= MAX_LOST_LEASES, {**ended, "state": "dead", "problem": _DEAD}),
                (sa.true(), {**back, "updated_at": now}),
            ):
                change = sa.update(table).where(lost, condition).values(**values).returning(table.c.id)
                found += len(session.execute(change).all())
        return found

    def ring_again(self, now: datetime) -> int:
        """Rings for jobs that have waited too long for a bell that was lost. How many."""
        table = self._table
        waiting = sa.and_(
            table.c.state == "queued",
            table.c.due_at <= now,
            sa.or_(table.c.rung_at.is_(None), table.c.rung_at < now - RING_AGAIN),
        )
        if not self._any(waiting):
            return 0
        some = sa.select(table.c.id).where(waiting).order_by(table.c.due_at).limit(_RINGS_AT_ONCE)
        mark = (
            sa.update(table)
            .where(table.c.id.in_(some.with_for_update(skip_locked=True)))
            .values(rung_at=now)
            .returning(table.c.id)
        )
        with self.database.write() as session:
            ids: Sequence[str] = session.execute(mark).scalars().all()
        for job_id in ids:
            self._bell.ring(job_id)
        return len(ids)

    def overdue(self, now: datetime, seconds: float) -> bool:
        """Whether a job has been due for so long that no worker can have heard its bell."""
        table = self._table
        return self._any(sa.and_(table.c.state == "queued", table.c.due_at <= now - timedelta(seconds=seconds)))

    def open_count(self, owner: str | None = None) -> int:
        """How many jobs wait or run: all of them, or those of one organisation or guest."""
        is_open = self._table.c.state.in_(OPEN)
        wanted = is_open if owner is None else sa.and_(is_open, self._table.c.owner == owner)
        with self.database.read() as session:
            counted = session.execute(sa.select(sa.func.count()).where(wanted))
            return int(counted.scalar_one())

    def _held_by(self, claim: Claim) -> sa.ColumnElement[bool]:
        table = self._table
        return sa.and_(table.c.id == claim.job.id, table.c.attempt == claim.attempt, table.c.state == "running")

    def _any(self, condition: sa.ColumnElement[bool]) -> bool:
        with self.database.read() as session:
            return session.execute(sa.select(self._table.c.id).where(condition).limit(1)).first() is not None

    def _get(self, job_id: str) -> Job:
        with self.database.read() as session:
            row = session.execute(sa.select(self._table).where(self._table.c.id == job_id)).mappings().one_or_none()
        if row is None:
            raise NotFound(kind="job", id=job_id[:80])
        return _job(row)


def _job(row: Any) -> Job:
    names = ("id", "kind", "args", "state", "attempt", "progress", "message", "result", "problem", "owner",
             "created_at", "updated_at", "finished_at")  # fmt: skip
    return Job(**{name: row[name] for name in names})
