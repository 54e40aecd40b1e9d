"""Datasets: taken in, read by the worker, shown to their owner only, forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from services.models.errors import DatasetNotReady, TooManyDatasets, UnreadableTable
from services.models.store import datasets as store
from services.models.store.datasets import FAILED, KIND, READING, READY, Dataset
from services.models.store.schema import TABLES
from services.models.training.table import Table
from shared.blobs import Blobs
from shared.database import Database, Scoped, utc_now
from shared.errors import Busy, Conflict, NotFound, Unauthenticated
from shared.fields import new_id
from shared.identity import SYSTEM, Principal
from shared.jobs import Job, JobRun, Jobs

JOB = "read-dataset"
MOST_OF_GUEST = 20
MOST_OF_ORGANISATION = 500

ReadTable = Callable[[Path, str, Callable[[], None]], tuple[bytes, dict[str, Any]]]
"""`intake.table_sandbox.read`."""


@dataclass(frozen=True)
class Uploaded:
    """A file whose bytes are stored."""

    name: str
    size: int
    sha256: str
    sheet: str = ""


def add(database: Database, jobs: Jobs, principal: Principal, file: Uploaded) -> tuple[Dataset, Job]:
    """Enters a stored file and the job that reads it. Raises `Unauthenticated`, `TooManyDatasets`."""
    if principal.owner is None:
        raise Unauthenticated(reason="访客凭证或密钥 / a guest token or key")
    with database.together() as session:
        scoped = Scoped(session, principal)
        limit = MOST_OF_GUEST if principal.organisation is None else MOST_OF_ORGANISATION
        if store.count(scoped) >= limit:
            raise TooManyDatasets(limit=limit)
        row = Dataset(
            id=new_id("models", "dataset"), organisation=principal.owner, name=file.name, size=file.size,
            sha256=file.sha256, sheet=file.sheet, state=READING,
        )  # fmt: skip
        job = jobs.submit(JOB, {"dataset": row.id}, principal)
        row.job = job.id
        scoped.add(row)
        facts = {"name": file.name, "size": file.size, "sha256": file.sha256}
        TABLES.record(session, principal, "upload", KIND, row.id, version=1, facts=facts)
    return row, job


def one(database: Database, principal: Principal, dataset_id: str) -> Dataset:
    """The caller's own. Raises `NotFound`, for another's as for none."""
    with database.read() as session:
        return Scoped(session, principal).own(Dataset, dataset_id, KIND)


def ready(database: Database, principal: Principal, dataset_id: str) -> Dataset:
    """One that has been read. Raises `NotFound`, `DatasetNotReady`."""
    row = one(database, principal, dataset_id)
    if row.state != READY:
        raise DatasetNotReady(id=row.id, state=row.state)
    return row


def listed(database: Database, principal: Principal, page: int, size: int) -> tuple[list[Dataset], int]:
    with database.read() as session:
        return store.page(Scoped(session, principal), page, size)


def delete(database: Database, blobs: Blobs, principal: Principal, dataset_id: str) -> None:
    """Forgets the file, its table and what was predicted for it; models trained on it stay. Raises `NotFound`."""
    with database.write() as session:
        row = Scoped(session, principal).own(Dataset, dataset_id, KIND)
        _forget(session, blobs, principal, [row])


def forget_expired(database: Database, blobs: Blobs, days: int, now: datetime | None = None) -> int:
    """Deletes what guests uploaded longer ago than `days`. How many."""
    with database.write() as session:
        rows = store.expired(session, (now or utc_now()) - timedelta(days=days))
        _forget(session, blobs, SYSTEM, rows)
        return len(rows)


def _forget(session: Session, blobs: Blobs, principal: Principal, rows: Iterable[Dataset]) -> None:
    digests: set[str] = set()
    for row in rows:
        digests |= {row.sha256, row.table, *row.results} - {""}
        TABLES.record(session, principal, "delete", KIND, row.id, facts={"name": row.name})
        session.delete(row)
    session.flush()
    for digest in digests:
        # Equal files are one blob. An upload of the same bytes in this very moment finds it gone, and its job says so.
        if not store.uses(session, digest):
            blobs.delete(digest)


def expires_at(row: Dataset, days: int) -> datetime | None:
    return row.created_at + timedelta(days=days) if row.of_guest else None


def read(run: JobRun, database: Database, blobs: Blobs, read_table: ReadTable) -> None:
    """The job: the file read in a process of its own, table and profile stored. Raises `UnreadableTable`, `NotFound`."""
    dataset_id = run.args["dataset"]
    row = _row(database, dataset_id)
    run.progress(0.1, "正在读取文件 / reading the file")
    try:
        content, found = read_table(_file(blobs, row), row.sheet, lambda: run.progress(0.3, "正在读取文件 / reading"))
    except UnreadableTable as refused:
        with database.write() as session:
            failed = session.get(Dataset, dataset_id)
            if failed is not None:
                failed.state, failed.problem = FAILED, {"reason": refused.reason}
        raise
    run.progress(0.9, "正在保存 / storing")
    digest = blobs.put(content)
    profile = found["profile"]
    result = {
        "dataset": dataset_id, "rows": profile["rows"], "columns": len(profile["columns"]),
        "warnings": [each["code"] for each in profile["warnings"]],
    }  # fmt: skip
    with run.finish(result) as session:
        current = session.get(Dataset, dataset_id)
        if current is None:
            raise NotFound(kind=KIND, id=dataset_id)
        current.state, current.table, current.format = READY, digest, found["format"]
        current.profile, current.problem = profile, None


def _row(database: Database, dataset_id: str) -> Dataset:
    with database.read() as session:
        row = session.get(Dataset, dataset_id)
    if row is None:
        raise NotFound(kind=KIND, id=dataset_id)
    return row


def _file(blobs: Blobs, row: Dataset) -> Path:
    try:
        return blobs.path(row.sha256)
    except NotFound:
        raise Conflict(
            kind=KIND, id=row.id, reason="文件已被删除，请重新上传 / the file is gone, upload it again"
        ) from None


def table_of(database: Database, blobs: Blobs, dataset_id: str) -> tuple[Dataset, Table]:
    """For jobs: the dataset and its table. Raises `NotFound`, `UnreadableTable`, `Busy` while it is being read."""
    row = _row(database, dataset_id)
    if row.state == READING:
        raise Busy(what="数据 / dataset", retry_after_s=2)
    if row.state == FAILED:
        raise UnreadableTable(reason=(row.problem or {}).get("reason", ""))
    return row, Table.from_bytes(blobs.get(row.table))
