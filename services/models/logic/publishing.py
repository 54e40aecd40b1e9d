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
from services.models.inference.standing import DRAFT, PUBLISHED
from services.models.logic import alerts, packages, shipping
from services.models.logic.shipping import Finding, ReadRelease
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
OVERSEERS = ("admin", "reviewer")


def add_component(database: Database, principal: Principal, content: Mapping[str, Any]) -> Component:
    """Enters a component. One of a provider is a draft that only its own organisation sees until it is reviewed; the
    operator's is shown once it has a release. Raises `Forbidden`, `Conflict`."""
    if principal.role not in ("admin", "provider") or principal.organisation is None:
        raise Forbidden(needed="role provider / admin")
    owner = principal.organisation if principal.role == "provider" else None
    whole = {
        **content, "kind": content.get("kind", "model"), "owner": principal.actor, "organisation": owner,
        "provider": principal.organisation, "public": True, "aliases": {},
    }  # fmt: skip
    with database.write() as session:
        if session.get(Component, content["name"]) is not None or (SHIPPED / content["name"]).exists():
            raise Conflict(kind=KIND, id=content["name"], reason="已存在 / exists already")
        row = Component(id=content["name"], organisation=owner, kind=whole["kind"], stage=DRAFT, stable="")
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
    platform, `ReleaseExists`, `BadInput` for a release of another kind than its component."""
    with database.read() as session:
        row = owned_row(session, principal, name)
        if (SHIPPED / row.id).exists():
            raise Conflict(kind=KIND, id=row.id, reason="随平台发布，不能由此发布 / ships with the platform")
        wanted = "endpoint" if row.kind == "http" else "model"
        if not package.get(wanted):
            raise BadInput(errors={wanted: [f"{row.kind} 组件的版本须有 {wanted} / a release of this kind needs it"]})
        if session.get(Release, release_id(row.id, package["version"])) is not None:
            raise ReleaseExists(component=row.id, release=package["version"])
    digest = blobs.put(json.dumps(package, sort_keys=True, ensure_ascii=False).encode("utf-8"))
    return jobs.submit(JOB, {"component": name, "version": package["version"], "package": digest}, principal, key)


def check_and_publish(
    run: JobRun,
    database: Database,
    blobs: Blobs,
    home: Path,
    sandbox: Callable[[Path, str], list[Finding]],
    endpoint: Callable[[Path, str], list[Finding]],
) -> None:
    """The job: all checks, then the rows. Raises `NotInOrder` with every finding, `ReleaseExists`."""
    name, version = run.args["component"], run.args["version"]
    package = json.loads(blobs.get(run.args["package"]))
    with database.read() as session:
        content = dict(session.get_one(Component, name).content)
    run.progress(0.1, "checking")
    release = checked(content, package, endpoint if content["kind"] == "http" else sandbox)
    run.progress(0.9, "publishing")
    with run.finish({"component": name, "release": version}) as session:
        record(session, name, version, {**release.content, "package": run.args["package"]}, release.fingerprint)
        alerts.raise_for(session, name, "release_published", {"release": version})
    materialise(database, blobs, home)


def checked(
    content: Mapping[str, Any], package: Mapping[str, Any], sandbox: Callable[[Path, str], list[Finding]]
) -> ReadRelease:
    """The release in `package` after all checks. Raises `NotInOrder` with every finding."""
    name, version = content["name"], package["version"]
    with tempfile.TemporaryDirectory(prefix="zg-intake-") as folder:
        root = Path(folder)
        packages.write_release(packages.write_component(root, {**content, "aliases": {"stable": version}}), package)
        found = list(shipping.findings([root], name)) or sandbox(root, name)
        if found:
            said = [f"{each.rule}: {each.place}: {each.message}" for each in found]
            raise NotInOrder(component=name, findings=said)
        (release,) = shipping.read_one([root], name).releases
    return release


def enter_private(session: Session, principal: Principal, content: Mapping[str, Any]) -> Component:
    """Enters a model that only its owner, `content["organisation"]`, sees and calls."""
    row = Component(id=content["name"], organisation=content["organisation"], kind="model", stage=DRAFT, stable="")
    row.content, row.fingerprint = dict(content), ""
    Scoped(session, principal).add(row)
    TABLES.record(session, principal, "add", KIND, row.id, version=row.version, content=row.content)
    return row


def record(session: Session, name: str, version: str, content: Mapping[str, Any], fingerprint: str) -> None:
    """Stores a checked release with the component's owner; the first one becomes stable. Raises `ReleaseExists`."""
    row_id = release_id(name, version)
    if session.get(Release, row_id) is not None:
        raise ReleaseExists(component=name, release=version)
    row = session.get_one(Component, name)
    made = Release(id=row_id, organisation=row.organisation, component=name, release=version, fingerprint=fingerprint)
    made.content = dict(content)
    Scoped(session, SYSTEM).add(made)
    TABLES.record(session, SYSTEM, "publish", RELEASE_KIND, row_id, version=1, facts={})
    if not row.stable:
        _point(session, SYSTEM, row, "stable", version)


def move_alias(database: Database, principal: Principal, name: str, alias: str, release: str) -> Component:
    """Points an alias at another release. `stable` of a component that everybody sees is moved by the operator or a
    reviewer. Raises `Forbidden`, `NotFound`, `BadInput`, `Conflict`, `UnknownRelease`."""
    if alias not in ALIASES:
        raise BadInput(errors={"alias": [f"可用 / use one of: {', '.join(ALIASES)}"]})
    with database.write() as session:
        row = owned_row(session, principal, name)
        if alias == "stable":
            must_review(principal, row)
        if (SHIPPED / row.id).exists():
            raise Conflict(kind=KIND, id=row.id, reason="随平台发布，别名由版本固定 / ships with the platform")
        known = [each.release for each in store.every_release_of(session, name)]
        if release not in known:
            raise UnknownRelease(component=name, release=release[:80], known=known)
        _point(session, principal, row, alias, release)
        return row


def _point(session: Session, principal: Principal, row: Component, alias: str, release: str) -> None:
    row.content = {**row.content, "aliases": {**row.content["aliases"], alias: release}}
    if alias == "stable":
        row.stable = release
        if row.stage == DRAFT and not awaits_review(row):
            row.stage = PUBLISHED
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
        releases = {row.id: store.every_release_of(session, row.id) for row in outside}
    for row in outside:
        for release in releases[row.id]:
            if not (root / row.id / "releases" / release.release).exists():
                package = json.loads(blobs.get(release.content["package"]))
                packages.write_release(root / row.id, package)
                written += 1
        packages.write_component(root, row.content)
    return written


def owned_row(session: Session, principal: Principal, name: str) -> Component:
    """The component, for whoever may change it: its provider, a reviewer or the operator. Raises `NotFound` where it
    does not exist for the caller, `Forbidden` where it does."""
    overseer = principal.role in OVERSEERS
    scoped = Scoped(session, principal)
    row = session.get(Component, name) if overseer and "\x00" not in name else None
    row = row or scoped.get(Component, name, KIND)
    mine = principal.organisation is not None and row.content.get("provider") == principal.organisation
    if not overseer and not (mine and principal.role == "provider"):
        raise Forbidden(needed="role provider (own components) / reviewer / admin")
    return row


def row_of(database: Database, principal: Principal, name: str) -> Component:
    """`owned_row` by itself, for comparing versions."""
    with database.read() as session:
        return owned_row(session, principal, name)


def awaits_review(row: Component) -> bool:
    """A provider's component that only its organisation sees so far."""
    return row.organisation is not None and bool(row.content.get("provider"))


def must_review(principal: Principal, row: Component) -> None:
    """What everybody's calls are answered by is decided by somebody else than its provider. Raises `Forbidden`."""
    if principal.role not in OVERSEERS and row.organisation is None:
        raise Forbidden(needed="role reviewer / admin")
