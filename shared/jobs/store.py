"""Job rows: submitted, claimed with a lease, kept alive, settled, reaped. One piece of code on both engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from shared.database import CommonTables, Database
from shared.database.rows import utc_now
from shared.errors import Conflict, NotFound
from shared.fields import new_id
from shared.identity import Principal
from shared.jobs.bell import Bell
from shared.jobs.job import OPEN, Cancelled, Claim, Done, Failed, Job, Outcome, Retry

MAX_LOST_LEASES = 3
RING_AGAIN = timedelta(seconds=2)


class Jobs:
    """The jobs of one service."""

    def __init__(self, database: Database, tables: CommonTables, bell: Bell, service: str) -> None:
        self._database, self._table, self._bell, self._service = database, tables.job, bell, service

    def submit(
        self, kind: str, args: Mapping[str, Any], principal: Principal, idempotency_key: str | None = None
    ) -> Job:
        """Accepts a job. With the same key of the same owner the job accepted before is returned."""
        now = utc_now()
        row = {
            "id": new_id(self._service, "job"),
            "organisation": principal.owner,
            "kind": kind,
            "args": dict(args),
            "state": "queued",
            "attempt": 0,
            "lost_leases": 0,
            "due_at": now,
            "rung_at": now,
            "idempotency_key": idempotency_key,
            "cancel": False,
            "progress": 0.0,
            "message": "",
            "created_at": now,
            "updated_at": now,
        }
        try:
            with self._database.write() as session:
                session.execute(self._table.insert().values(**row))
        except sa.exc.IntegrityError:
            found = self._by_key(principal, idempotency_key)
            if found is None:
                raise
            return found
        # The row is committed: a bell that cannot be rung costs a second, not the job.
        self._bell.ring(str(row["id"]))
        return self._get(str(row["id"]))

    def get(self, job_id: str, principal: Principal) -> Job:
        """The caller's job, or `NotFound`."""
        job = self._get(job_id)
        if job.organisation != principal.owner and "*" not in principal.scopes:
            raise NotFound(kind="job", id=job_id[:80])
        return job

    def cancel(self, job_id: str, principal: Principal) -> Job:
        """Asks the job to stop: at once when it waits, at its next sign of progress when it runs."""
        job = self.get(job_id, principal)
        if job.state not in OPEN:
            raise Conflict(kind="job", id=job_id, reason=f"已结束 / already {job.state}")
        with self._database.write() as session:
            table = self._table
            session.execute(
                sa.update(table)
                .where(table.c.id == job_id, table.c.state == "queued")
                .values(state="cancelled", cancel=True, updated_at=utc_now())
            )
            session.execute(
                sa.update(table)
                .where(table.c.id == job_id, table.c.state == "running")
                .values(cancel=True, updated_at=utc_now())
            )
        return self._get(job_id)

    def claim(self, now: datetime, lease_s: float) -> Claim | None:
        """Takes the oldest job that is due; None when there is none. Two callers never get the same attempt."""
        table, until = self._table, now + timedelta(seconds=lease_s)
        with self._database.write() as session:
            due = (
                sa.select(table.c.id)
                .where(table.c.state == "queued", table.c.due_at <= now)
                .order_by(table.c.due_at, table.c.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            job_id = session.execute(due).scalar_one_or_none()
            if job_id is None:
                return None
            session.execute(
                sa.update(table)
                .where(table.c.id == job_id)
                .values(state="running", attempt=table.c.attempt + 1, lease_until=until, updated_at=now)
            )
            row = session.execute(sa.select(table).where(table.c.id == job_id)).mappings().one()
        return Claim(_job(row), row["attempt"], until)

    def extend(self, claim: Claim, now: datetime, lease_s: float, progress: float, message: str) -> bool:
        """Says that the attempt lives and how far it is. False when it is to stop: cancelled, or the lease was lost."""
        table = self._table
        with self._database.write() as session:
            done = session.execute(
                sa.update(table)
                .where(table.c.id == claim.job.id, table.c.attempt == claim.attempt, table.c.state == "running")
                .values(
                    lease_until=now + timedelta(seconds=lease_s),
                    progress=min(max(progress, 0.0), 1.0),
                    message=message[:400],
                    updated_at=now,
                )
            )
            if done.rowcount != 1:  # type: ignore[attr-defined]
                return False
            cancel = session.execute(sa.select(table.c.cancel).where(table.c.id == claim.job.id)).scalar_one()
        return not cancel

    def settle(self, claim: Claim, outcome: Outcome, now: datetime) -> bool:
        """Writes how the attempt ended. False, and nothing written, when the lease was lost meanwhile."""
        values: dict[str, Any] = {"lease_until": None, "updated_at": now}
        match outcome:
            case Done(result):
                values |= {"state": "done", "result": result, "progress": 1.0, "message": ""}
            case Retry(at, message):
                values |= {"state": "queued", "due_at": at, "rung_at": now, "message": message[:400]}
            case Failed(problem):
                values |= {"state": "failed", "problem": dict(problem)}
            case Cancelled():
                values |= {"state": "cancelled"}
        table = self._table
        with self._database.write() as session:
            done = session.execute(
                sa.update(table)
                .where(table.c.id == claim.job.id, table.c.attempt == claim.attempt, table.c.state == "running")
                .values(**values)
            )
            return bool(done.rowcount == 1)  # type: ignore[attr-defined]

    def reap(self, now: datetime) -> int:
        """Puts jobs whose lease ran out back in the queue; after three lost leases a job is dead, with the reason."""
        table = self._table
        lost = sa.and_(table.c.state == "running", table.c.lease_until < now)
        dead = {
            "type": "/problems/job-dead",
            "title": "任务中断 / job abandoned",
            "detail": f"执行进程 {MAX_LOST_LEASES} 次中断 / its worker was lost {MAX_LOST_LEASES} times",
        }
        with self._database.write() as session:
            session.execute(
                sa.update(table)
                .where(lost, table.c.lost_leases >= MAX_LOST_LEASES - 1)
                .values(state="dead", lost_leases=table.c.lost_leases + 1, problem=dead, updated_at=now)
            )
            back = session.execute(
                sa.update(table)
                .where(lost)
                .values(state="queued", lost_leases=table.c.lost_leases + 1, due_at=now, updated_at=now)
            )
            return int(back.rowcount)  # type: ignore[attr-defined]

    def ring_again(self, now: datetime) -> int:
        """Rings for jobs that have waited too long for a bell that was lost. How many."""
        table = self._table
        waiting = sa.and_(
            table.c.state == "queued",
            table.c.due_at <= now,
            sa.or_(table.c.rung_at.is_(None), table.c.rung_at < now - RING_AGAIN),
        )
        with self._database.write() as session:
            ids: Sequence[str] = session.execute(sa.select(table.c.id).where(waiting).limit(100)).scalars().all()
            if ids:
                session.execute(sa.update(table).where(table.c.id.in_(ids)).values(rung_at=now))
        for job_id in ids:
            self._bell.ring(job_id)
        return len(ids)

    def open_count(self) -> int:
        """How many jobs wait or run."""
        table = self._table
        with self._database.read() as session:
            counted = session.execute(sa.select(sa.func.count()).where(table.c.state.in_(OPEN)))
            return int(counted.scalar_one())

    def _get(self, job_id: str) -> Job:
        with self._database.read() as session:
            row = session.execute(sa.select(self._table).where(self._table.c.id == job_id)).mappings().one_or_none()
        if row is None:
            raise NotFound(kind="job", id=job_id[:80])
        return _job(row)

    def _by_key(self, principal: Principal, key: str | None) -> Job | None:
        table = self._table
        mine = table.c.organisation == principal.owner if principal.owner else table.c.organisation.is_(None)
        with self._database.read() as session:
            row = session.execute(sa.select(table).where(mine, table.c.idempotency_key == key)).mappings().first()
        return None if row is None else _job(row)


def _job(row: Any) -> Job:
    return Job(
        id=row["id"],
        kind=row["kind"],
        args=row["args"],
        state=row["state"],
        attempt=row["attempt"],
        progress=row["progress"],
        message=row["message"],
        result=row["result"],
        problem=row["problem"],
        organisation=row["organisation"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
