"""The merged document."""

from __future__ import annotations

from typing import Any

from openapi_spec_validator import validate

from services.gateway.openapi import merged


def document(path: str, *, thing: dict[str, Any], tag: str = "things") -> dict[str, Any]:
    ref = {"$ref": "#/components/schemas/PageOut"}
    answer = {"description": "OK", "content": {"application/json": {"schema": ref}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": {
            path: {"get": {"tags": [tag], "responses": {"200": answer}}},
            "/internal/search": {"post": {"responses": {"200": {"description": "never shown"}}}},
        },
        "components": {
            "schemas": {
                "PageOut": {"type": "array", "items": {"$ref": "#/components/schemas/ItemOut"}},
                "ItemOut": thing,
                "Same": {"type": "string"},
            }
        },
        "tags": [{"name": tag, "description": "d"}],
    }


def test_names_that_mean_different_things_are_kept_apart_with_all_that_refers_to_them() -> None:
    whole = merged(
        {
            "catalog": document("/api/v1/solutions", thing={"type": "string"}),
            "knowledge": document("/api/v1/articles", thing={"type": "integer"}),
        }
    )
    schemas = whole["components"]["schemas"]

    def item_of(path: str) -> Any:
        content = whole["paths"][path]["get"]["responses"]["200"]["content"]
        page = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
        return schemas[schemas[page]["items"]["$ref"].rpartition("/")[2]]

    assert item_of("/api/v1/solutions") == {"type": "string"}
    assert item_of("/api/v1/articles") == {"type": "integer"}
    assert "KnowledgeSame" not in schemas
    validate(whole)


def test_inference_is_described_and_what_is_internal_is_not() -> None:
    whole = merged({"catalog": document("/api/v1/solutions", thing={"type": "string"})})
    assert "/v2/models/{name}/infer" in whole["paths"]
    assert "/api/v1/components/{name}/predict" in whole["paths"]
    assert not [path for path in whole["paths"] if path.startswith("/internal")]
    validate(whole)


def test_a_service_with_a_problem_of_its_own_breaks_no_reference() -> None:
    models = document("/api/v1/components", thing={"type": "string"})
    models["components"]["schemas"]["Problem"] = {"type": "object"}
    models["components"]["responses"] = {"Problem": {"description": "another"}}
    whole = merged({"models": models})
    assert "/v2/models/{name}/infer" in whole["paths"]
    validate(whole)


def test_a_services_own_description_of_a_call_wins() -> None:
    own = document("/api/v1/components/{name}/predict", thing={"type": "string"})
    own["paths"]["/api/v1/components/{name}/predict"] = {
        "post": {
            "summary": "ours",
            "parameters": [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}],
            "responses": {"200": {"description": "OK"}},
        }
    }
    whole = merged({"models": own})
    assert whole["paths"]["/api/v1/components/{name}/predict"]["post"]["summary"] == "ours"
    validate(whole)


def test_each_operation_says_which_credential_it_takes() -> None:
    whole = merged({"catalog": document("/api/v1/solutions", thing={"type": "string"})})
    assert {} in whole["paths"]["/api/v1/solutions"]["get"]["security"]
    assert whole["paths"]["/v2/models/{name}/infer"]["post"]["security"] == [{"bearer": []}, {"apiKey": []}]
    assert {"guest": []} in whole["paths"]["/api/v1/jobs/{job_id}/events"]["get"]["security"]
