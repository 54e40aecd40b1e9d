"""Counts that runners, endpoints and jobs hand over become rows by hour; rows of a span become sums."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from services.models.store import observations as store
from services.models.store.observations import Observation, Prediction
from shared.database import Database, utc_now

KEPT = timedelta(days=90)
NODE = secrets.token_hex(6)
"""This process, in the ids of its rows."""
ONLINE, BATCH, FILE, HTTP = "online", "batch", "file", "http"
"""Where a call came from: answered by a runner, a job of many instances, a job of a file, a provider's own service."""
_SUMS = ("calls", "errors", "rows", "outside")


def keep(database: Database, taken: Iterable[Mapping[str, Any]], now: datetime) -> int:
    """Adds what `taken` holds (`observed`, `logged`, and `source` unless it is a runner's) to the rows. How many
    releases and predictions."""
    observed = [
        {**each, "counts": of_source(each["counts"], part.get("source", ONLINE))}
        for part in taken
        for each in part["observed"]
    ]
    logged = [each for part in taken for each in part["logged"]]
    if not observed and not logged:
        return 0
    hour = now.replace(minute=0, second=0, microsecond=0)
    with database.write() as session:
        for each in observed:
            row_id = f"{each['component']}@{each['release']}@{hour:%Y%m%d%H}@{NODE}"
            row = session.get(Observation, row_id)
            if row is None:
                row = Observation(
                    id=row_id, component=each["component"], release=each["release"], hour=hour, counts=each["counts"]
                )
                session.add(row)
            else:
                row.counts = added(row.counts, each["counts"])
        store.add_all(session, (_prediction(each) for each in logged))
    return len(observed) + len(logged)


def keep_job(session: Session, job_id: str, observed: Mapping[str, Any], source: str, *, ended: bool) -> None:
    """Counts of one job, in a row of its own: however often the job is tried, it is counted once.

    `ended`: whether it came to its end; else the row stands unless there is one of this job already.
    """
    row = Observation(
        id=f"{observed['component']}@{observed['release']}@{job_id}", component=observed["component"],
        release=observed["release"], hour=utc_now().replace(minute=0, second=0, microsecond=0),
        counts=of_source(observed["counts"], source),
    )  # fmt: skip
    store.put(session, row, replace=ended)


def of_source(counts: Mapping[str, Any], source: str) -> dict[str, Any]:
    return {**counts, "sources": {source: {name: counts[name] for name in _SUMS}}}


def forget_old(database: Database) -> None:
    before = utc_now() - KEPT
    with database.write() as session:
        store.forget(session, before, before)


def sums(rows: Iterable[Observation]) -> dict[str, dict[str, Any]]:
    """Release -> its counts together."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        counts = {**row.counts, "sources": _sources(row.counts)}
        found[row.release] = added(found[row.release], counts) if row.release in found else counts
    return found


def added(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two counts of one release. Lists of other lengths (a reference that changed) start anew."""
    found: dict[str, Any] = _summed(one, other)
    for name in ("buckets", "prediction"):
        found[name] = _lists(one[name], other[name])
    names = {**one["features"], **other["features"]}
    found["features"] = {
        name: _lists(one["features"].get(name, []), other["features"].get(name, [])) for name in names
    }  # fmt: skip
    found["compared"] = _compared(one["compared"], other["compared"])
    sources = _sources(one)
    for source, each in _sources(other).items():
        sources[source] = _summed(sources[source], each) if source in sources else each
    found["sources"] = sources
    return found


def _sources(counts: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Rows of before sources were told hold what runners counted."""
    return dict(counts.get("sources") or of_source(counts, ONLINE)["sources"])


def _summed(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one[name] + other[name] for name in _SUMS}


def _lists(one: list[int], other: list[int]) -> list[int]:
    if len(one) != len(other):
        return other or one
    return [first + second for first, second in zip(one, other, strict=True)]


def _compared(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    if not one or not other or one["with"] != other["with"]:
        return dict(other or one)
    found = {name: one[name] + other[name] for name in ("rows", "sum", "absolute", "disagreed")}
    return {"with": one["with"], "largest": max(one["largest"], other["largest"]), **found}


def _prediction(each: Mapping[str, Any]) -> Prediction:
    return Prediction(
        id=each["id"], component=each["component"], release=each["release"], owner=each["owner"],
        at=datetime.fromtimestamp(each["at"], UTC), answer=each["answer"],
    )  # fmt: skip
