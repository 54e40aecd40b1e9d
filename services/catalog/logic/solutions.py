"""Solutions: loading the reviewed files, and reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.catalog.logic.solution_files import ReadSolution
from services.catalog.store import solutions as store
from services.catalog.store.schema import TABLES
from services.catalog.store.solutions import KIND, Solution
from shared import outbox
from shared.database import Database, Scoped
from shared.identity import SYSTEM, Principal


@dataclass(frozen=True)
class Loaded:
    added: int
    changed: int
    removed: int
    unchanged: int


def load(database: Database, files: Iterable[ReadSolution]) -> Loaded:
    """Brings the public solutions to what the files say, in one transaction; what did not change is left alone."""
    added = changed = unchanged = 0
    with database.write() as session:
        held = store.of_content(session)
        scoped = Scoped(session, SYSTEM)
        for file in files:
            row = held.pop(file.id, None)
            if row is not None and row.fingerprint == file.fingerprint:
                unchanged += 1
                continue
            if row is None:
                row = Solution(id=file.id, organisation=None)
                row.take(file.content, file.fingerprint)
                scoped.add(row, after=TABLES.last_version(session, KIND, file.id))
                added += 1
            else:
                row.take(file.content, file.fingerprint)
                session.flush()
                changed += 1
            TABLES.record(session, SYSTEM, "load", KIND, row.id, version=row.version, content=file.content)
            outbox.put(session, TABLES, KIND, row.id, row.version)
        for row in held.values():
            version = row.version + 1
            session.delete(row)
            TABLES.record(session, SYSTEM, "remove", KIND, row.id, version=version, content={})
            outbox.put(session, TABLES, KIND, row.id, version, deleted=True)
    return Loaded(added, changed, len(held), unchanged)


def solutions_for(
    database: Database, principal: Principal, *, filters: Mapping[str, str], order: str, page: int, size: int
) -> tuple[list[Solution], int]:
    """One page of the solutions that the caller may see, and how many there are."""
    with database.read() as session:
        return store.page(Scoped(session, principal), filters, order, page, size)


def solution(database: Database, principal: Principal, solution_id: str) -> Solution:
    """Raises `NotFound`."""
    with database.read() as session:
        return Scoped(session, principal).get(Solution, solution_id, KIND)
