"""Solutions: loading the reviewed files, and reading."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from services.catalog.logic.solution_files import ReadSolution
from services.catalog.store import solutions as store
from services.catalog.store.schema import TABLES
from services.catalog.store.solutions import KIND, Solution
from shared.content_rows import Entry, Loaded, bring
from shared.database import Database, Scoped
from shared.identity import Principal


def load(database: Database, files: Iterable[ReadSolution]) -> Loaded:
    """Brings the public solutions to what the files say, in one transaction; what did not change is left alone."""
    entries = (Entry(file.id, file.fingerprint, file.content, (file.content, file.fingerprint)) for file in files)
    with database.write() as session:
        return bring(session, TABLES, KIND, Solution, store.of_content(session), entries)


def solutions_for(
    database: Database,
    principal: Principal,
    *,
    filters: Mapping[str, str],
    order: str,
    page: int,
    size: int,
    known: Container[str],
) -> tuple[list[Solution], int]:
    """One page of the solutions that the caller may see, and how many there are.

    Those whose fingerprint is `known` come without their content, which is most of what a list reads.
    """
    with database.read() as session:
        return store.page(Scoped(session, principal), filters, order, page, size, known)


def solution(database: Database, principal: Principal, solution_id: str) -> Solution:
    """Raises `NotFound`."""
    with database.read() as session:
        return Scoped(session, principal).get(Solution, solution_id, KIND)
