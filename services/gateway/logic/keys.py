"""API keys: made, listed, revoked, and loaded for the policy."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from services.gateway import api_key
from services.gateway.policy.state import KeyRecord
from services.gateway.store.api_key import ApiKey, admin_keys, fingerprint, usable_keys
from services.gateway.store.organisation import PLATFORM, Organisation, visible
from services.gateway.store.tables import TABLES
from shared.database import Database, Scoped, utc_now
from shared.errors import BadInput, Conflict, Forbidden, NotFound
from shared.identity import SYSTEM, Principal

log = logging.getLogger(__name__)

SCOPES = ("predict", "write", "publish", "review", "keys", "*")
ROLES = ("sme", "provider", "reviewer", "district", "admin")
SCOPES_OF_ROLE: dict[str, tuple[str, ...]] = {
    "sme": ("predict", "write"),
    "provider": ("predict", "write", "publish"),
    "reviewer": ("predict", "write", "review"),
    "district": ("predict", "write"),
    "admin": ("*",),
}
ADMIN_KEY_FILE = "admin.key"


@dataclass(frozen=True, slots=True)
class MadeKey:
    row: ApiKey
    text: str
    """Shown once and stored nowhere."""


def make_key(
    database: Database,
    principal: Principal,
    *,
    name: str,
    organisation: str | None = None,
    role: str | None = None,
    scopes: Iterable[str] | None = None,
    expires_at: datetime | None = None,
    per_minute: int | None = None,
    monthly_quota: int | None = None,
) -> MadeKey:
    """A key for an organisation. The operator makes any; others only for their own and with no more than they have.

    Raises `NotFound` for an organisation that is not there or is another's, `Forbidden` for more than the caller has.
    """
    if expires_at is not None and expires_at <= utc_now():
        raise BadInput(errors={"expires_at": ["须在将来 / must be in the future"]})
    with database.write() as session:
        owner = _owner(session, principal, organisation)
        chosen = role or (owner.role if principal.role == "admin" else principal.role)
        wanted = tuple(dict.fromkeys(scopes)) if scopes is not None else SCOPES_OF_ROLE[chosen]
        if principal.role != "admin":
            wanted = _no_more_than(principal, chosen, wanted, explicit=scopes is not None)
            if per_minute is not None or monthly_quota is not None:
                raise Forbidden(needed="role admin: per_minute, monthly_quota")
        made = api_key.new_key()
        row = ApiKey(
            id=made.key_id,
            organisation=owner.id,
            name=name,
            digest=made.digest,
            role=chosen,
            scopes=list(wanted),
            expires_at=expires_at,
            per_minute=per_minute,
            monthly_quota=monthly_quota,
        )
        Scoped(session, principal).add(row)
        TABLES.record(
            session,
            principal,
            "make",
            "key",
            row.id,
            facts={"organisation": owner.id, "role": chosen, "scopes": row.scopes},
        )
    return MadeKey(row, made.text)


def _owner(session: Session, principal: Principal, organisation: str | None) -> Organisation:
    wanted = organisation or principal.organisation or ""
    if principal.role != "admin" and wanted != principal.organisation:
        raise NotFound(kind="organisation", id=wanted[:120])
    owner = session.get(Organisation, wanted)
    if owner is None:
        raise NotFound(kind="organisation", id=wanted[:120])
    if not owner.active:
        raise Conflict(kind="organisation", id=owner.id, reason="已停用 / closed")
    return owner


def _no_more_than(principal: Principal, role: str, wanted: tuple[str, ...], *, explicit: bool) -> tuple[str, ...]:
    if role != principal.role:
        raise Forbidden(needed=f"role {role}")
    if "*" in principal.scopes:
        return wanted
    more = [scope for scope in wanted if scope not in principal.scopes]
    if more and explicit:
        raise Forbidden(needed=f"scope {', '.join(more)}")
    return tuple(scope for scope in wanted if scope in principal.scopes)


def list_keys(database: Database, principal: Principal, page: int, size: int) -> tuple[list[ApiKey], int]:
    """Keys of the caller's organisation, revoked ones too; for the operator all. Newest first."""
    with database.read() as session:
        statement = visible(session, principal, ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.id)
        return Scoped(session, principal).page(statement, page, size)


def read_key(database: Database, principal: Principal, key_id: str) -> ApiKey:
    with database.read() as session:
        return _mine(session, principal, key_id)


def revoke_key(database: Database, principal: Principal, key_id: str) -> None:
    """Refused from now on, at this gateway at once and at others within a second. Harmless to repeat."""
    with database.write() as session:
        row = _mine(session, principal, key_id)
        if row.revoked_at is None:
            row.revoked_at = utc_now()
            TABLES.record(session, principal, "revoke", "key", row.id)


def _mine(session: Session, principal: Principal, key_id: str) -> ApiKey:
    row = session.execute(visible(session, principal, ApiKey).where(ApiKey.id == key_id)).scalar_one_or_none()
    if not isinstance(row, ApiKey):
        raise NotFound(kind="key", id=key_id[:120])
    return row


def key_records(session: Session) -> dict[str, KeyRecord]:
    """Every key that may be used, by id."""
    return {row.id: _record(row) for row in usable_keys(session)}


def keys_fingerprint(session: Session) -> tuple[int, ...]:
    return fingerprint(session)


def _record(row: ApiKey) -> KeyRecord:
    return KeyRecord(
        principal=Principal(organisation=row.organisation, key_id=row.id, role=row.role, scopes=frozenset(row.scopes)),
        digest=bytes.fromhex(row.digest),
        expires_at=row.expires_at.astimezone(UTC).timestamp() if row.expires_at is not None else None,
        per_minute=row.per_minute,
        monthly_quota=row.monthly_quota,
    )


def first_admin_key(database: Database, home: Path) -> bool:
    """Makes the operator's first key if there is none, and leaves it in the home with mode 0600. Whether it did.

    The file is written before the transaction ends: a key that was stored but never written would lock everybody out,
    while a file whose key was not stored is written anew at the next start.
    """
    with database.read() as session:
        if admin_keys(session):
            return False
    with database.only_one("first-admin") as alone:
        if not alone:
            return False
        with database.write() as session:
            if admin_keys(session):
                return False
            if session.get(Organisation, PLATFORM) is None:
                session.add(
                    Organisation(id=PLATFORM, organisation=PLATFORM, name="平台运营方 / operator", role="admin")
                )
                session.flush()
            made = api_key.new_key()
            scopes = list(SCOPES_OF_ROLE["admin"])
            session.add(
                ApiKey(
                    id=made.key_id, organisation=PLATFORM, name="first", digest=made.digest, role="admin", scopes=scopes
                )
            )
            session.flush()
            TABLES.record(session, SYSTEM, "make", "key", made.key_id, facts={"role": "admin", "first": True})
            _leave(home / ADMIN_KEY_FILE, made.text)
    log.info("the first admin key was written to the home")
    return True


def _leave(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text + "\n")
    draft.replace(path)


def quota_keys(records: dict[str, KeyRecord]) -> dict[str, int]:
    return {key_id: record.monthly_quota for key_id, record in records.items() if record.monthly_quota is not None}


def months_beginning(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


__all__ = [
    "ADMIN_KEY_FILE", "ROLES", "SCOPES", "MadeKey", "first_admin_key", "key_records", "keys_fingerprint", "list_keys",
    "make_key", "months_beginning", "quota_keys", "read_key", "revoke_key",
]  # fmt: skip
