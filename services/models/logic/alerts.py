"""What providers are told: events are stored with the change that they tell of, and sent to webhooks by the worker.

The row of a delivery goes once it was taken, so whatever dies in between, an event is sent again rather than lost;
its id tells a receiver what it has had already.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.models.errors import EndpointFailed, UnsafeAddress
from services.models.store import webhooks as store
from services.models.store.components import Component
from services.models.store.schema import SERVICE, TABLES
from services.models.store.webhooks import KIND, Delivery, Webhook
from shared.database import Database, Scoped, utc_now
from shared.errors import BadInput, Forbidden
from shared.fields import new_id
from shared.identity import Principal
from shared.jobs import JobRun, Jobs

JOB = "webhook"
EVENTS = ("stage", "release_published", "drift", "accuracy", "crashed")
DIGESTS = ("each", "daily")
MOST_HOOKS = 10
MOST_AT_ONCE = 100
FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 6 * 3600.0
GIVEN_UP_AFTER = timedelta(days=7)
SIGNATURE_HEADER = "X-Zhigai-Signature"

Send = Callable[[str, bytes, Mapping[str, str]], None]
"""Posts a body to an address with headers. Raises `EndpointFailed`, `UnsafeAddress`."""


def raise_for(session: Session, component: str, event: str, facts: Mapping[str, Any]) -> int:
    """Stores an event for every webhook that wants it, in the caller's transaction. How many."""
    row = session.get(Component, component)
    if row is None:
        return 0
    hooks = store.told(session, row.content.get("provider") or row.organisation, event)
    now = utc_now()
    body = {"id": new_id(SERVICE, "evt"), "event": event, "component": component, "at": now.isoformat(), **facts}
    session.add_all(Delivery(webhook=hook.id, event=body, at=now) for hook in hooks)
    return len(hooks)


def add_webhook(
    database: Database, principal: Principal, *, url: str, events: list[str], digest: str, everything: bool
) -> tuple[Webhook, str]:
    """The webhook and its secret, which is shown once. Raises `Forbidden`, `BadInput`."""
    if principal.organisation is None:
        raise Forbidden(needed="a key / 密钥")
    if everything and principal.role != "admin":
        raise Forbidden(needed="role admin")
    secret = "whs_" + secrets.token_urlsafe(32)
    with database.write() as session:
        scoped = Scoped(session, principal)
        held = session.execute(sa.select(sa.func.count()).select_from(scoped.mine(Webhook).subquery())).scalar_one()
        if held >= MOST_HOOKS:
            raise BadInput(errors={"url": [f"最多 {MOST_HOOKS} 个 / at most {MOST_HOOKS} webhooks"]})
        row = Webhook(
            id=new_id(SERVICE, "whk"), organisation=principal.organisation, url=url, events=sorted(set(events)),
            everything=everything, digest=digest, secret=secret, due_at=utc_now(), failures=0, said="",
        )  # fmt: skip
        scoped.add(row)
        TABLES.record(session, principal, "add", KIND, row.id, facts={"url": url, "events": row.events})
    return row, secret


def webhooks_of(database: Database, principal: Principal) -> list[Webhook]:
    with database.read() as session:
        statement = Scoped(session, principal).mine(Webhook).order_by(Webhook.created_at, Webhook.id)
        return list(session.execute(statement).scalars())


def delete_webhook(database: Database, principal: Principal, webhook: str) -> None:
    """Raises `NotFound`."""
    with database.write() as session:
        row = Scoped(session, principal).own(Webhook, webhook, KIND)
        session.execute(sa.delete(Delivery).where(Delivery.webhook == row.id))
        session.delete(row)
        TABLES.record(session, principal, "delete", KIND, webhook)


def submit_due(database: Database, jobs: Jobs, principal: Principal, now: datetime) -> int:
    """A job for each webhook for which something is due. How many. Two processes that look at once make one job."""
    with database.read() as session:
        found = store.due(session, now, MOST_AT_ONCE)
    for webhook, due_at in found:
        # By the hour, so that one whose worker was lost is tried again.
        jobs.submit(JOB, {"webhook": webhook}, principal, f"{webhook}:{due_at.timestamp():.6f}:{now:%Y%m%d%H}")
    return len(found)


def deliver(run: JobRun, database: Database, send: Send) -> Any:
    """The job: everything that waits for one webhook in one signed post."""
    name = run.args["webhook"]
    with database.read() as session:
        hook = session.get(Webhook, name)
        waiting = [] if hook is None else store.waiting(session, name, MOST_AT_ONCE)
    if hook is None or not waiting or hook.due_at > utc_now():
        return {"sent": 0}
    body = json.dumps({"events": [each.event for each in waiting]}, ensure_ascii=False).encode("utf-8")
    said, ok = "ok", True
    try:
        send(hook.url, body, {SIGNATURE_HEADER: signature(hook.secret, body, utc_now())})
    except (EndpointFailed, UnsafeAddress) as failed:
        said, ok = failed.reason[:300], False
    _settle(database, name, [each.seq for each in waiting], said, ok)
    return {"sent": len(waiting) if ok else 0, "said": said}


def signature(secret: str, body: bytes, now: datetime) -> str:
    """`t=<unix>,v1=<hex>`: HMAC-SHA256 over `<unix>.<body>`, so that an old post cannot be sent again unnoticed."""
    moment = int(now.timestamp())
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def _settle(database: Database, name: str, sent: list[int], said: str, ok: bool) -> None:
    now = utc_now()
    with database.write() as session:
        hook = session.get(Webhook, name)
        if hook is None:
            return
        hook.said = said
        if ok:
            session.execute(sa.delete(Delivery).where(Delivery.seq.in_(sent)))
            hook.failures = 0
            hook.due_at = now + timedelta(days=1) if hook.digest == "daily" else now
            return
        hook.failures += 1
        hook.due_at = now + timedelta(seconds=min(FIRST_PAUSE_S * 2.0 ** (hook.failures - 1), LONGEST_PAUSE_S))
        session.execute(sa.delete(Delivery).where(Delivery.webhook == name, Delivery.at < now - GIVEN_UP_AFTER))
