"""Enquiries: kept for the one who wrote them and shown to nobody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.catalog import app as catalog
from services.catalog.store.schema import TABLES
from shared.identity import Principal
from shared.settings import Settings
from tests.services.callers import ADMIN, FIRM, GUEST, NOBODY, OTHER, Callers
from tests.services.catalog.conftest import solution

ENQUIRIES = "/api/v1/enquiries"
BODY = {"need": "定型机能耗太高，想做余热回收", "contact": {"name": "王", "phone": "0573-0000 0000"}}


def ask(callers: Callers, who: Principal, key: str | None = None, **changes: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return callers.call(who, "POST", ENQUIRIES, json={**BODY, **changes}, headers=headers)


@pytest.mark.parametrize("who", [FIRM, GUEST])
def test_whoever_asks_reads_it_again(
    settings: Settings, callers: Callers, shelf: Callable[..., Path], who: Principal
) -> None:
    catalog.seed(settings, shelf(solution("dyeing-a")))
    made = ask(callers, who, solution="dyeing-a", industry="dyeing", budget="300000")
    assert made.status_code == 201, made.json
    read = callers.get(made.headers["Location"], who)
    assert (read.json["state"], read.json["solution"], read.json["budget"]) == ("open", "dyeing-a", "300000.00")
    assert callers.get(ENQUIRIES, who).json["items"] == [read.json]


def test_nobody_else_learns_that_it_exists(callers: Callers) -> None:
    made = ask(callers, FIRM)
    unknown = callers.get(f"{ENQUIRIES}/cat-enquiry-00000000000000000000000000", OTHER)
    for who in (OTHER, GUEST, NOBODY, ADMIN, Principal(guest="guest-other")):
        answer = callers.get(made.headers["Location"], who)
        assert answer.status_code == 404
        assert set(answer.json) == set(unknown.json)
        assert callers.get(ENQUIRIES, who).json["total"] == 0


def test_someone_without_an_identity_is_told_how_to_get_one(callers: Callers) -> None:
    answer = ask(callers, NOBODY)
    assert answer.status_code == 401
    assert answer.json["type"].endswith("nobody-to-answer")


def test_a_repeated_request_is_one_enquiry(callers: Callers) -> None:
    assert ask(callers, FIRM, key="k").json == ask(callers, FIRM, key="k").json
    assert callers.get(ENQUIRIES, FIRM).json["total"] == 1
    # The same key of somebody else is another key.
    assert ask(callers, OTHER, key="k").status_code == 201


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"need": "短"}, "need"),
        ({"need": "长" * 2001}, "need"),
        ({"contact": {"name": "王"}}, "contact.phone"),
        ({"contact": {"name": "王", "phone": "请来电"}}, "contact.phone"),
        ({"contact": {"name": "王", "email": "nowhere"}}, "contact.email"),
        ({"contact": {"name": "王", "phone": "123456", "wechat": "x"}}, "contact.wechat"),
        ({"solution": "nowhere"}, "solution"),
        ({"provider": "nowhere"}, "provider"),
        ({"budget": -1}, "budget"),
        ({"state": "done"}, "state"),
        ({"organisation": "org-li"}, "organisation"),
    ],
)
def test_a_wrong_field_is_refused_by_name(callers: Callers, changes: dict[str, Any], field: str) -> None:
    answer = ask(callers, FIRM, **changes)
    assert answer.status_code == 422, answer.json
    assert list(answer.json["errors"]) == [field]
    assert callers.get(ENQUIRIES, FIRM).json["total"] == 0


def test_neither_index_nor_audit_holds_a_contact(callers: Callers, app: Any) -> None:
    ask(callers, FIRM)
    parts = app.extensions["zhigai"].parts
    assert parts["relay"].drain_all() == 0
    with parts["database"].read() as session:
        facts = session.execute(sa.select(TABLES.audit.c.facts)).scalars().all()
    assert facts == [{"solution": None, "provider": None}]
