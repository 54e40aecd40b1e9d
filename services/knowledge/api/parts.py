"""What the knowledge service's views work with, typed."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from shared.database import Database
from shared.errors import NotFound
from shared.http.service_app import context


def database() -> Database:
    found: Database = context().parts["database"]
    return found


def asked(row_id: str, kind: str) -> str:
    """The id as asked for. PostgreSQL cannot even look for a NUL, so such an id is not found without asking it."""
    if "\x00" in row_id:
        raise NotFound(kind=kind, id=row_id[:120])
    return row_id


def name_filter(**kwargs: Any) -> ma.fields.String:
    """A filter by the id of something of another service: checked for its form only."""
    error = "只能有字母、数字、点、下划线和连字符 / letters, digits, dots, underscores and hyphens only"
    return ma.fields.String(validate=ma.validate.Regexp(r"^[A-Za-z0-9_.-]{1,120}$", error=error), **kwargs)


def names_filter(**kwargs: Any) -> ma.fields.String:
    """Several such ids, with commas between them."""
    error = "最多 100 个编号，用逗号隔开 / up to 100 ids with commas between them"
    return ma.fields.String(
        validate=ma.validate.Regexp(r"^[A-Za-z0-9_.-]{1,120}(,[A-Za-z0-9_.-]{1,120}){0,99}$", error=error), **kwargs
    )
