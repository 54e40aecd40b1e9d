"""Components: loading those that ship, and reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from services.models.errors import Quarantined, ReleaseExists, Retired
from services.models.logic.shipping import ReadComponent
from services.models.store import components as store
from services.models.store.components import KIND, RELEASE_KIND, Component, Release, release_id
from services.models.store.schema import TABLES
from shared import outbox
from shared.database import Database, Scoped
from shared.errors import NotFound
from shared.identity import SYSTEM, Principal

PUBLISHED = "published"


def load(database: Database, files: Iterable[ReadComponent]) -> int:
    """Brings the shipped components to what their folders say. A release that was published never changes: a folder
    that differs from it raises `ReleaseExists`. How many components changed."""
    changed = 0
    with database.write() as session:
        held = store.shipped(session)
        scoped = Scoped(session, SYSTEM)
        for file in files:
            for release in file.releases:
                row_id = release_id(file.name, release.version)
                known = session.get(Release, row_id)
                if known is None:
                    made = Release(
                        id=row_id, organisation=None, component=file.name, release=release.version,
                        content=release.content, fingerprint=release.fingerprint,
                    )  # fmt: skip
                    scoped.add(made)
                    TABLES.record(session, SYSTEM, "publish", RELEASE_KIND, row_id, version=1, facts={})
                elif known.fingerprint != release.fingerprint:
                    raise ReleaseExists(component=file.name, release=release.version)
            row = held.pop(file.name, None)
            if row is not None and (row.fingerprint, row.stable) == (file.fingerprint, file.stable):
                continue
            if row is None:
                row = Component(id=file.name, organisation=None, stage=PUBLISHED)
                _take(row, file)
                scoped.add(row, after=TABLES.last_version(session, KIND, file.name))
            else:
                _take(row, file)
                session.flush()
            changed += 1
            TABLES.record(session, SYSTEM, "load", KIND, row.id, version=row.version, content=file.content)
            outbox.put(session, TABLES, KIND, row.id, row.version)
    return changed


def _take(row: Component, file: ReadComponent) -> None:
    row.kind, row.content, row.stable = file.content["kind"], file.content, file.stable
    row.fingerprint = file.fingerprint


def components_for(
    database: Database, principal: Principal, *, filters: Mapping[str, str], page: int, size: int
) -> tuple[list[Component], int]:
    """One page of the components that the caller may see, and how many there are."""
    with database.read() as session:
        return store.page(Scoped(session, principal), filters, page, size)


def component(database: Database, principal: Principal, name: str) -> tuple[Component, Release]:
    """The component and its stable release. Raises `NotFound`."""
    with database.read() as session:
        found = store.with_stable(Scoped(session, principal), name)
        if found is None:
            raise NotFound(kind=KIND, id=name.replace("\x00", "")[:120])
        row, release = found
        if not row.stable or (row.stage not in store.SHOWN and not has_draft(principal, row)):
            raise NotFound(kind=KIND, id=name[:120])
        if release is None:
            raise NotFound(kind=RELEASE_KIND, id=release_id(name, row.stable)[:120])
        return row, release


def has_draft(principal: Principal, row: Component) -> bool:
    """Whether a draft is this caller's to see: its provider's, its reviewer's or the operator's."""
    return principal.role in ("admin", "reviewer") or (
        row.organisation is not None and row.organisation == principal.owner
    )


def callable_component(database: Database, principal: Principal, name: str) -> tuple[Component, Release]:
    """The component and its stable release, to compute with. Raises `NotFound`, `Quarantined`, `Retired`."""
    row, release = component(database, principal, name)
    facts = row.lifecycle or {}
    if row.stage == "quarantined":
        raise Quarantined(component=row.id, reason=facts.get("reason", "-"))
    if row.stage == "retired":
        raise Retired(component=row.id, reason=facts.get("reason", "-"), replaced_by=facts.get("replaced_by") or "-")
    return row, release


def component_row(database: Database, principal: Principal, name: str) -> Component:
    """The component, also one without a release yet. Raises `NotFound`."""
    with database.read() as session:
        return Scoped(session, principal).get(Component, name, KIND)


def releases(database: Database, principal: Principal, name: str) -> list[Release]:
    """The releases of a component, oldest first. Raises `NotFound`."""
    with database.read() as session:
        scoped = Scoped(session, principal)
        scoped.get(Component, name, KIND)
        return store.releases_of(scoped, name)
