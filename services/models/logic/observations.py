"""Counts that the runners hand over become rows by hour; rows of a span become sums."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from services.models.store import observations as store
from services.models.store.observations import Observation, Prediction
from shared.database import Database, utc_now

KEPT = timedelta(days=90)
NODE = secrets.token_hex(6)
"""This process, in the ids of its rows."""


def keep(database: Database, taken: Iterable[Mapping[str, Any]], now: datetime) -> int:
    """Adds what `taken` holds (`observed`, `logged`) to the rows. How many releases and predictions."""
    observed = [each for part in taken for each in part["observed"]]
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


def forget_old(database: Database) -> None:
    before = utc_now() - KEPT
    with database.write() as session:
        store.forget(session, before, before)


def sums(rows: Iterable[Observation]) -> dict[str, dict[str, Any]]:
    """Release -> its counts together."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        found[row.release] = added(found[row.release], row.counts) if row.release in found else row.counts
    return found


def added(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two counts of one release. Lists of other lengths (a reference that changed) start anew."""
    found = {name: one[name] + other[name] for name in ("calls", "errors", "rows", "outside")}
    for name in ("buckets", "prediction"):
        found[name] = _lists(one[name], other[name])
    names = {**one["features"], **other["features"]}
    found["features"] = {
        name: _lists(one["features"].get(name, []), other["features"].get(name, [])) for name in names
    }  # fmt: skip
    found["compared"] = _compared(one["compared"], other["compared"])
    return found


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
