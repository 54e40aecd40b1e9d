"""The table of operations by caller."""

from __future__ import annotations

import pytest

from services.gateway.routes import SEGMENTS, Who, rule_of
from shared.fields import new_id

ANYONE, GUEST, KEY = Who.ANYONE, Who.GUEST, Who.KEY

TABLE = [
    # method, path, service, route class, the least a caller must be, scope a key needs
    ("GET", "/api/v1/search", "gateway", "search", ANYONE, ""),
    ("GET", "/api/v1/suggest", "gateway", "search", ANYONE, ""),
    ("GET", "/api/v1/industries", "gateway", "read", ANYONE, ""),
    ("GET", "/api/v1/industries/dyeing", "gateway", "read", ANYONE, ""),
    ("GET", "/api/v1/chains/dyeing", "knowledge", "read", ANYONE, ""),
    ("GET", "/api/v1/starter-packs/dyeing", "catalog", "read", ANYONE, ""),
    ("GET", "/api/v1/diagnosis-add-ons/dyeing", "programme", "read", ANYONE, ""),
    ("GET", "/api/v1/solutions", "catalog", "read", ANYONE, ""),
    ("GET", "/api/v1/solutions/dyeing-x", "catalog", "read", ANYONE, ""),
    ("HEAD", "/api/v1/providers/p", "catalog", "read", ANYONE, ""),
    ("POST", "/api/v1/providers", "catalog", "write", KEY, "write"),
    ("PUT", "/api/v1/providers/p", "catalog", "write", KEY, "write"),
    ("POST", "/api/v1/enquiries", "catalog", "write", GUEST, "write"),
    ("GET", "/api/v1/enquiries", "catalog", "read", GUEST, ""),
    ("GET", "/api/v1/articles/a", "knowledge", "read", ANYONE, ""),
    ("GET", "/api/v1/terms/t", "knowledge", "read", ANYONE, ""),
    ("POST", "/api/v1/documents", "knowledge", "upload", GUEST, "write"),
    ("GET", "/api/v1/components/c", "models", "read", ANYONE, ""),
    ("POST", "/api/v1/components/c/predict", "models", "predict", ANYONE, "predict"),
    ("POST", "/api/v1/components/c/batch", "models", "predict", GUEST, "predict"),
    ("POST", "/api/v1/components/c/predict-file", "models", "upload", GUEST, "predict"),
    ("POST", "/api/v1/components", "models", "write", KEY, "publish"),
    ("POST", "/api/v1/components/c/releases", "models", "write", KEY, "publish"),
    ("POST", "/api/v1/components/c/x/predict", "models", "write", KEY, "publish"),
    ("POST", "/api/v1/datasets", "models", "upload", GUEST, "write"),
    ("GET", "/api/v1/datasets", "models", "read", GUEST, ""),
    ("DELETE", "/api/v1/datasets/d", "models", "upload", GUEST, "write"),
    ("POST", "/api/v1/trainings", "models", "write", GUEST, "write"),
    ("GET", "/v2", "models", "read", ANYONE, ""),
    ("GET", "/v2/models/m/versions/1.0.0/ready", "models", "read", ANYONE, ""),
    ("POST", "/v2/models/m/infer", "models", "infer", KEY, "predict"),
    ("POST", "/v2/repository/index", "models", "read", ANYONE, ""),
    ("POST", "/v2/repository/models/m/load", "models", "write", KEY, "*"),
    ("POST", "/v2/repository/models/m/unload", "models", "write", KEY, "*"),
    ("POST", "/api/v1/subsidies/estimate", "programme", "estimate", ANYONE, ""),
    ("POST", "/api/v1/subsidies", "programme", "write", KEY, "write"),
    ("GET", "/api/v1/targets", "programme", "read", ANYONE, ""),
    ("POST", "/api/v1/diagnoses", "programme", "write", GUEST, "write"),
    ("GET", "/api/v1/diagnoses/d", "programme", "read", GUEST, ""),
    ("GET", "/api/v1/me", "gateway", "account", ANYONE, ""),
    ("GET", "/api/v1/usage", "gateway", "account", KEY, ""),
    ("GET", "/api/v1/keys", "gateway", "account", KEY, ""),
    ("POST", "/api/v1/keys", "gateway", "account", KEY, "keys"),
    ("DELETE", "/api/v1/keys/k", "gateway", "account", KEY, "keys"),
    ("PATCH", "/api/v1/organisations/o", "gateway", "account", KEY, "keys"),
    ("POST", "/api/v1/users", "gateway", "account", KEY, "keys"),
    ("POST", "/api/v1/guests", "gateway", "guest", ANYONE, ""),
    ("GET", "/api/v1/export/solutions.jsonl", "catalog", "read", ANYONE, ""),
    ("GET", "/healthz", "gateway", "health", ANYONE, ""),
    ("GET", "/docs", "gateway", "read", ANYONE, ""),
]


@pytest.mark.parametrize(("method", "path", "service", "route", "who", "scope"), TABLE)
def test_each_operation_goes_where_it_belongs(
    method: str, path: str, service: str, route: str, who: Who, scope: str
) -> None:
    rule = rule_of(method, path)
    assert rule is not None
    assert (rule.service, rule.route, rule.who, rule.scope) == (service, route, who, scope)


@pytest.mark.parametrize(
    ("service", "owner"), [("models", "models"), ("catalog", "catalog"), ("programme", "programme")]
)
def test_a_job_goes_to_the_service_that_made_its_id(service: str, owner: str) -> None:
    rule = rule_of("GET", f"/api/v1/jobs/{new_id(service, 'job')}")
    assert rule is not None
    assert (rule.service, rule.who) == (owner, Who.GUEST)


@pytest.mark.parametrize(
    "path",
    [
        "/", "/api", "/api/v1", "/api/v1/", "/api/v2/solutions", "/api/v1/nothing", "/api/v1/jobs", "/api/v1/jobs/x",
        "/api/v1/jobs/xyz-job-01234567890123456789012345", "/api/v1/export/secrets.csv", "/internal/search",
        "/internal/authorise", "/internal/readyz", "/v2x", "/healthz/x", "/metrics/x",
    ],
)  # fmt: skip
def test_what_no_line_allows_is_not_routed(path: str) -> None:
    assert rule_of("GET", path) is None


def test_nothing_is_written_without_being_somebody_unless_it_is_named() -> None:
    open_writes = {name for name, segment in SEGMENTS.items() if segment.writing.who is Who.ANYONE}
    assert open_writes == {"guests", "answers"}
