"""Publishing: a component is entered, its releases are checked in a sandbox and then never change; aliases move."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.models.errors import NotInOrder, ReleaseExists, UnknownRelease
from services.models.inference.release import ALIASES, SHIPPED
from services.models.logic import packages, shipping
from services.models.logic.shipping import Finding
from services.models.store import components as store
from services.models.store.components import KIND, RELEASE_KIND, Component, Release, release_id
from services.models.store.schema import TABLES
from shared import outbox
from shared.blobs import Blobs
from shared.database import Database, Scoped
from shared.errors import BadInput, Conflict, Forbidden
from shared.identity import SYSTEM, Principal
from shared.jobs import Job, JobRun, Jobs

JOB = "publish"
DRAFT, PUBLISHED = "draft", "published"


def add_component(database: Database, principal: Principal, content: Mapping[str, Any]) -> Component:
    """Enters a component; it is shown once it has a release. Raises `Forbidden`, `Conflict`."""
    _only_admins(principal)
    whole = {**content, "kind": "model", "owner": principal.actor, "public": True, "aliases": {}}
    with database.write() as session:
        if session.get(Component, content["name"]) is not None:
            raise Conflict(kind=KIND, id=content["name"], reason="已存在 / exists already")
        row = Component(id=content["name"], organisation=None, kind="model", stage=DRAFT, stable="")
        row.content, row.fingerprint = whole, ""
        Scoped(session, principal).add(row, after=TABLES.last_version(session, KIND, row.id))
        TABLES.record(session, principal, "add", KIND, row.id, version=row.version, content=whole)
        return row


def submit_release(
    database: Database,
    jobs: Jobs,
    blobs: Blobs,
    principal: Principal,
    name: str,
    package: Mapping[str, Any],
    key: str | None = None,
) -> Job:
    """Accepts a release for checking. Raises `Forbidden`, `NotFound`, `Conflict` for a component that ships with the
    platform, `ReleaseExists`."""
    _only_admins(principal)
    with database.read() as session:
        row = Scoped(session, principal).get(Component, name, KIND)
        if (SHIPPED / row.id).exists():
            raise Conflict(kind=KIND, id=row.id, reason="随平台发布，不能由此发布 / ships with the platform")
        if session.get(Release, release_id(row.id, package["version"])) is not None:
            raise ReleaseExists(component=row.id, release=package["version"])
    digest = blobs.put(json.dumps(package, sort_keys=True, ensure_ascii=False).encode("utf-8"))
    return jobs.submit(JOB, {"component": name, "version": package["version"], "package": digest}, principal, key)


def check_and_publish(
    run: JobRun, database: Database, blobs: Blobs, home: Path, sandbox: Callable[[Path, str], list[Finding]]
) -> None:
    """The job: all checks, then the rows. Raises `NotInOrder` with every finding, `ReleaseExists`."""
    name, version = run.args["component"], run.args["version"]
    package = json.loads(blobs.get(run.args["package"]))
    with database.read() as session:
        content = dict(session.get_one(Component, name).content)
    run.progress(0.1, "checking")
    with tempfile.TemporaryDirectory(prefix="zg-intake-") as folder:
        root = Path(folder)
        packages.write_release(packages.write_component(root, {**content, "aliases": {"stable": version}}), package)
        found = list(shipping.findings([root], name)) or sandbox(root, name)
        if found:
            said = [f"{each.rule}: {each.place}: {each.message}" for each in found]
            raise NotInOrder(component=name, findings=said)
        (release,) = shipping.read_one([root], name).releases
    run.progress(0.9, "publishing")
    with run.finish({"component": name, "release": version}) as session:
        _record(session, name, version, {**release.content, "package": run.args["package"]}, release.fingerprint)
    materialise(database, blobs, home)


def _record(session: Session, name: str, version: str, content: Mapping[str, Any], fingerprint: str) -> None:
    row_id = release_id(name, version)
    if session.get(Release, row_id) is not None:
        raise ReleaseExists(component=name, release=version)
    made = Release(id=row_id, organisation=None, component=name, release=version, fingerprint=fingerprint)
    made.content = dict(content)
    Scoped(session, SYSTEM).add(made)
    TABLES.record(session, SYSTEM, "publish", RELEASE_KIND, row_id, version=1, facts={})
    row = session.get_one(Component, name)
    if not row.stable:
        _point(session, SYSTEM, row, "stable", version)


def move_alias(database: Database, principal: Principal, name: str, alias: str, release: str) -> Component:
    """Points an alias at another release. Raises `Forbidden`, `NotFound`, `BadInput`, `Conflict`, `UnknownRelease`."""
    _only_admins(principal)
    if alias not in ALIASES:
        raise BadInput(errors={"alias": [f"可用 / use one of: {', '.join(ALIASES)}"]})
    with database.write() as session:
        scoped = Scoped(session, principal)
        row = scoped.get(Component, name, KIND)
        if (SHIPPED / row.id).exists():
            raise Conflict(kind=KIND, id=row.id, reason="随平台发布，别名由版本固定 / ships with the platform")
        known = [each.release for each in store.releases_of(scoped, name)]
        if release not in known:
            raise UnknownRelease(component=name, release=release[:80], known=known)
        _point(session, principal, row, alias, release)
        return row


def _point(session: Session, principal: Principal, row: Component, alias: str, release: str) -> None:
    row.content = {**row.content, "aliases": {**row.content["aliases"], alias: release}}
    if alias == "stable":
        row.stable, row.stage = release, PUBLISHED
    session.flush()
    TABLES.record(
        session, principal, "alias", KIND, row.id, version=row.version, content=row.content, facts={alias: release}
    )
    outbox.put(session, TABLES, KIND, row.id, row.version)


def materialise(database: Database, blobs: Blobs, home: Path) -> int:
    """Writes what was published from outside into `home/components`, where the runner finds it. How many releases."""
    root, written = home / packages.FOLDER, 0
    with database.read() as session:
        rows = list(session.execute(sa.select(Component).where(Component.stable != "")).scalars())
        outside = [row for row in rows if not (SHIPPED / row.id).exists()]
        releases = {row.id: store.releases_of(Scoped(session, SYSTEM), row.id) for row in outside}
    for row in outside:
        for release in releases[row.id]:
            if not (root / row.id / "releases" / release.release).exists():
                package = json.loads(blobs.get(release.content["package"]))
                packages.write_release(root / row.id, package)
                written += 1
        packages.write_component(root, row.content)
    return written


def _only_admins(principal: Principal) -> None:
    if principal.role != "admin":
        raise Forbidden(needed="role admin")
