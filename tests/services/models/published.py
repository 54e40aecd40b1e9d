"""A component entered and published by its API, for tests of what happens to it afterwards."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path
from typing import Any

from services.models.inference.predict import predict
from services.models.inference.release import open_release
from services.models.inference.sessions import load
from services.models.jobs import handlers
from services.models.logic import packages
from shared.identity import Principal
from shared.jobs import turn
from tests.services.callers import ADMIN, Callers
from tests.services.models import tiny_components

PROVIDER = Principal(organisation="org-provider", key_id="k-provider", role="provider", scopes=frozenset({"publish"}))
RIVAL = Principal(organisation="org-rival", key_id="k-rival", role="provider", scopes=frozenset({"publish"}))
REVIEWER = Principal(organisation="org-reviewer", key_id="k-reviewer", role="reviewer")
FEATURES = ("thickness", "width")
NAME = "kiln-drying-time"
ABOUT: dict[str, Any] = {
    "name": NAME,
    "title": {"zh": "（示例）干燥时间", "en": "(Example) drying time"},
    "answers": {"zh": "要烘多久？", "en": "How long to dry?"},
    "summary": {"zh": "线性模型，仅用于测试", "en": "A linear model, for a test"},
    "valid_for": {"zh": "仅用于测试", "en": "For a test only"},
    "source": {"zh": "测试", "en": "test"},
    "licence": {"zh": "Apache-2.0", "en": "Apache-2.0"},
    "industries": ["wood"],
    "directions": ["equipment"],
    "keywords": ["干燥"],
}


def release(version: str = "1.0.0", weights: tuple[float, float] = (2.0, 3.0), **more: Any) -> dict[str, Any]:
    """`weights` x features, with the answers that it gives here."""
    inputs = [
        {"name": name, "title_zh": name, "title_en": name, "unit": "mm", "minimum": 0, "maximum": 100}
        for name in FEATURES
    ]  # fmt: skip
    document: dict[str, Any] = {
        "version": version,
        "signature": {
            "task": "regression", "inputs": inputs, "classes": [],
            "outputs": [{"name": "hours", "title_zh": "时间", "title_en": "Time", "unit": "h"}],
        },
        "intervals": {"coverage": 0.9, "low": [-10.0], "high": [10.0]},
        "lineage": {"protocol": "test", "metrics": {"mae": 1.0, "naive": {"mae": 4.0}}},
        "card": {"zh": "# 测试", "en": "# Test"},
        "model": base64.b64encode(tiny_components.linear(weights, 0.0)).decode(),
        **more,
    }  # fmt: skip
    examples = []
    with tempfile.TemporaryDirectory() as folder:
        component = packages.write_component(Path(folder), {**ABOUT, "kind": "model", "aliases": {}})
        packages.write_release(component, {**document, "examples": []})
        loaded = load(open_release([Path(folder)], NAME, version))
        for place in range(3):
            request = asked(place, place + 1)
            title = {"zh": "例", "en": "Example"}
            answer = predict(loaded, request, "zh")
            examples.append({"name": f"e{place}", "title": title, "request": request, "answer": answer})
    return {**document, "examples": examples}


def asked(thickness: float, width: float, **more: Any) -> dict[str, Any]:
    return {"instances": [{"thickness": thickness, "width": width}], **more}


def send(app: Any, callers: Callers, body: dict[str, Any], who: Principal = ADMIN, name: str = NAME) -> Any:
    """The job of a release after its turn."""
    accepted = callers.post(f"/api/v1/components/{name}/releases", body, who)
    assert accepted.status_code == 202, accepted.get_json()
    work(app)
    return callers.get(accepted.headers["Location"], who).get_json()


def work(app: Any) -> int:
    """Every job that is due, done here."""
    context = app.extensions["zhigai"]
    turns = 0
    while turn(context.parts["jobs"], handlers(context), problems=context.problems) is not None:
        turns += 1
    return turns


def publish(app: Any, callers: Callers, *releases: Any, who: Principal = ADMIN) -> None:
    assert callers.post("/api/v1/components", ABOUT, who).status_code == 201
    for body in releases:
        job = send(app, callers, body, who)
        assert job["state"] == "done", job["problem"]


def move(callers: Callers, stage: str, who: Principal = ADMIN, **more: Any) -> Any:
    return callers.post(f"/api/v1/components/{NAME}/stage", {"stage": stage, "reason": "测试 / test", **more}, who)


def point(callers: Callers, alias: str, version: str, who: Principal = ADMIN) -> Any:
    path = f"/api/v1/components/{NAME}"
    headers = {"If-Match": callers.get(path, who).headers["ETag"]}
    return callers.call(who, "PUT", f"{path}/aliases/{alias}", json={"release": version}, headers=headers)
