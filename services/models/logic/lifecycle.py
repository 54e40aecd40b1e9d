"""The life of a component: who may move it from which stage to which, and the candidate's share of the calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.models.errors import UnknownRelease, WrongStage
from services.models.inference.standing import DEPRECATED, DRAFT, PUBLISHED, QUARANTINED, RETIRED, Standing
from services.models.logic import alerts
from services.models.logic.publishing import OVERSEERS, awaits_review, must_review, owned_row
from services.models.store.components import KIND, Component, Release
from services.models.store.schema import TABLES
from shared import outbox
from shared.database import Database, utc_now
from shared.errors import BadInput, Forbidden
from shared.identity import SYSTEM, Principal

NEXT: Mapping[str, tuple[str, ...]] = {
    DRAFT: (PUBLISHED, RETIRED),
    PUBLISHED: (DEPRECATED, QUARANTINED, RETIRED),
    DEPRECATED: (PUBLISHED, QUARANTINED, RETIRED),
    QUARANTINED: (PUBLISHED, DEPRECATED, RETIRED),
    RETIRED: (),
}
BY_ITS_PROVIDER = (DEPRECATED, RETIRED)
"""Stages that a provider may give its own component; all others are given by a reviewer or the operator."""


def move_stage(
    database: Database,
    principal: Principal,
    name: str,
    *,
    stage: str,
    reason: str,
    sunset: datetime | None = None,
    replaced_by: str = "",
) -> Component:
    """Moves a component to another stage and says why. Raises `Forbidden`, `NotFound`, `WrongStage`, `BadInput`."""
    with database.write() as session:
        row = owned_row(session, principal, name)
        _may(principal, row, stage)
        _check(session, row, stage, sunset, replaced_by)
        _move(session, principal, row, stage, {"reason": reason, "sunset": sunset, "replaced_by": replaced_by})
        return row


def quarantine(database: Database, name: str, reason: str) -> bool:
    """The platform's own act, after crashes. Whether the component was called until now."""
    with database.write() as session:
        row = session.get(Component, name)
        if row is None or QUARANTINED not in NEXT[row.stage]:
            return False
        _move(session, SYSTEM, row, QUARANTINED, {"reason": reason})
        return True


def set_traffic(database: Database, principal: Principal, name: str, *, candidate_percent: float) -> Component:
    """Gives the candidate a share of the calls that name no release. Raises `Forbidden`, `NotFound`, `UnknownRelease`."""
    with database.write() as session:
        row = owned_row(session, principal, name)
        must_review(principal, row)
        aliases = row.content["aliases"]
        if candidate_percent and "candidate" not in aliases:
            raise UnknownRelease(component=name, release="candidate", known=list(aliases))
        row.lifecycle = {**(row.lifecycle or {}), "candidate_percent": candidate_percent}
        session.flush()
        facts = {"candidate": aliases.get("candidate"), "percent": candidate_percent}
        TABLES.record(session, principal, "traffic", KIND, row.id, facts=facts)
        outbox.put(session, TABLES, KIND, row.id, row.version)
        return row


def standings(session: Session) -> dict[str, Standing]:
    """Of every component about which there is something to say."""
    found = {}
    for row in session.execute(sa.select(Component)).scalars():
        standing = standing_of(row)
        if standing != Standing(organisation=row.organisation):
            found[row.id] = standing
    return found


def standing_of(row: Component) -> Standing:
    facts = row.lifecycle or {}
    return Standing(
        stage=row.stage,
        organisation=row.organisation,
        reason=facts.get("reason", ""),
        since=_moment(facts.get("since")),
        sunset=_moment(facts.get("sunset")),
        replaced_by=facts.get("replaced_by") or "",
        candidate=row.content["aliases"].get("candidate", ""),
        candidate_percent=facts.get("candidate_percent", 0.0),
    )


def _may(principal: Principal, row: Component, stage: str) -> None:
    if principal.role not in OVERSEERS and stage not in BY_ITS_PROVIDER:
        raise Forbidden(needed="role reviewer / admin")
    if principal.role == "reviewer" and awaits_review(row) and row.content.get("provider") == principal.organisation:
        raise Forbidden(needed="a reviewer of another organisation / 其他单位的评审人")


def _check(session: Session, row: Component, stage: str, sunset: datetime | None, replaced_by: str) -> None:
    allowed = NEXT[row.stage]
    if stage not in allowed or (stage == PUBLISHED and not row.stable):
        raise WrongStage(component=row.id, stage=row.stage, wanted=stage, allowed=list(allowed))
    if stage == DEPRECATED and (sunset is None or sunset <= utc_now()):
        said = "停用日期须在将来 / deprecation needs the date of its end, in the future"
        raise BadInput(errors={"sunset": [said]})
    if replaced_by and (replaced_by == row.id or session.get(Component, replaced_by) is None):
        raise BadInput(errors={"replaced_by": ["没有这个组件 / there is no such component"]})


def _move(session: Session, principal: Principal, row: Component, stage: str, facts: Mapping[str, Any]) -> None:
    before = row.stage
    kept = {name: value for name, value in (row.lifecycle or {}).items() if name == "candidate_percent"}
    now = utc_now()
    said = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in facts.items() if value}
    if stage == PUBLISHED and awaits_review(row):
        _open_to_all(session, row)
    row.stage, row.lifecycle = stage, {**kept, **said, "since": now.isoformat()}
    session.flush()
    TABLES.record(
        session, principal, "stage", KIND, row.id, version=row.version, content=row.content,
        facts={"from": before, "to": stage, **said},
    )  # fmt: skip
    outbox.put(session, TABLES, KIND, row.id, row.version)
    alerts.raise_for(session, row.id, "stage", {"from": before, "to": stage, **said})


def _open_to_all(session: Session, row: Component) -> None:
    row.organisation, row.content = None, {**row.content, "organisation": None}
    for release in session.execute(sa.select(Release).where(Release.component == row.id)).scalars():
        release.organisation = None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
