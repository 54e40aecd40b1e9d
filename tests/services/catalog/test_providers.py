"""Providers: everyone reads, administrators write, nothing is overwritten, nothing is entered twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.catalog import app as catalog
from shared.identity import Principal
from shared.settings import Settings
from tests.services.callers import ADMIN, FIRM, GUEST, NOBODY, Callers
from tests.services.catalog.conftest import solution

PROVIDERS = "/api/v1/providers"
BODY = {
    "name": "（测试）工程服务公司",
    "summary": {"zh": "测试条目", "en": "A test entry"},
    "kinds": ["equipment_integrator"],
    "industries": ["dyeing"],
    "directions": ["equipment"],
    "source": "测试",
}


def add(callers: Callers, who: Principal = ADMIN, key: str | None = None, **changes: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return callers.call(who, "POST", PROVIDERS, json={**BODY, **changes}, headers=headers)


def test_no_provider_is_invented(settings: Settings, callers: Callers) -> None:
    catalog.seed(settings)
    assert callers.get(PROVIDERS).json == {"items": [], "total": 0, "page": 1, "size": 20}


def test_an_administrator_enters_a_provider_and_everyone_reads_it(callers: Callers) -> None:
    made = add(callers)
    assert made.status_code == 201, made.json
    read = callers.get(made.headers["Location"])
    assert read.json["name"] == BODY["name"]
    assert read.json["summary"] == "测试条目"
    assert callers.get(f"{made.headers['Location']}?lang=en").json["summary"] == "A test entry"
    assert [each["id"] for each in callers.get(f"{PROVIDERS}?industry=dyeing").json["items"]] == [made.json["id"]]
    assert callers.get(f"{PROVIDERS}?industry=paper").json["total"] == 0


@pytest.mark.parametrize("who", [NOBODY, GUEST, FIRM, Principal(organisation="p", key_id="k", role="provider")])
def test_nobody_else_writes(callers: Callers, who: Principal) -> None:
    assert add(callers, who).status_code == 403
    made = add(callers)
    answer = callers.call(who, "PUT", made.headers["Location"], json=BODY, headers={"If-Match": made.headers["ETag"]})
    assert answer.status_code == 403
    assert callers.get(PROVIDERS).json["total"] == 1


def test_a_repeated_request_enters_one_provider(callers: Callers) -> None:
    first, second = add(callers, key="same"), add(callers, key="same")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert add(callers, key="same", name="另一家").status_code == 422
    assert callers.get(PROVIDERS).json["total"] == 1


def test_a_change_needs_the_version_that_was_read(callers: Callers) -> None:
    made = add(callers)
    path, etag = made.headers["Location"], made.headers["ETag"]
    changed = {**BODY, "name": "（测试）改名"}
    assert callers.call(ADMIN, "PUT", path, json=changed).status_code == 428
    done = callers.call(ADMIN, "PUT", path, json=changed, headers={"If-Match": etag})
    assert (done.status_code, done.json["name"], done.json["version"]) == (200, "（测试）改名", 2)
    assert done.headers["ETag"] != etag
    late = callers.call(ADMIN, "PUT", path, json=BODY, headers={"If-Match": etag})
    assert late.status_code == 412
    assert callers.get(path).json["name"] == "（测试）改名"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"kinds": []}, "kinds"),
        ({"kinds": ["magician"]}, "kinds.0"),
        ({"industries": ["steel"]}, "industries.0"),
        ({"solutions": ["nowhere"]}, "solutions"),
        ({"website": "javascript:alert(1)"}, "website"),
        ({"organisation": "org-li"}, "organisation"),
        ({"version": 9}, "version"),
    ],
)
def test_a_wrong_field_is_refused_by_name(callers: Callers, changes: dict[str, Any], field: str) -> None:
    answer = add(callers, **changes)
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]


def test_a_provider_is_found_by_the_solution_it_carries_out(
    settings: Settings, callers: Callers, shelf: Callable[..., Path]
) -> None:
    catalog.seed(settings, shelf(solution("dyeing-a")))
    made = add(callers, solutions=["dyeing-a"])
    assert [each["id"] for each in callers.get(f"{PROVIDERS}?solution=dyeing-a").json["items"]] == [made.json["id"]]


def test_a_provider_reaches_the_index(callers: Callers, app: Any) -> None:
    made = add(callers)
    parts = app.extensions["zhigai"].parts
    parts["relay"].drain_all()
    assert parts["index"].versions() == {made.json["id"]: 1}
