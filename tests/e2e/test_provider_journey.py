"""A provider's engineer: from a model on a laptop to a stranger's first call, and what callers meet afterwards."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from shared.settings import Secret, Settings
from tests.processes import ROOT, Running, start_embedded

NAME = "kiln-hours"
TEXTS: dict[str, dict[str, str]] = {
    "title": {"zh": "（示例）干燥时间", "en": "(Example) drying time"},
    "answers": {"zh": "要烘多久？", "en": "How long to dry?"},
    "summary": {"zh": "测试用", "en": "For a test"},
    "valid_for": {"zh": "仅用于测试", "en": "For a test only"},
    "source": {"zh": "测试", "en": "test"},
    "licence": {"zh": "Apache-2.0", "en": "Apache-2.0"},
}


@pytest.fixture(scope="module")
def platform() -> Iterator[Running]:
    """A platform of its own: what is published here is nobody else's business."""
    settings = Settings(home=Path(tempfile.mkdtemp(prefix="zg-")), secret=Secret(secrets.token_hex(32)), port=0)
    running = start_embedded(settings)
    yield running
    running.stop()
    shutil.rmtree(settings.home, ignore_errors=True)


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model that scikit-learn trained, as skl2onnx converts it, and a table of rows it never saw."""
    from skl2onnx import to_onnx
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folder = tmp_path_factory.mktemp("laptop")
    chance = np.random.default_rng(3)
    rows = np.column_stack([chance.uniform(20, 60, 600), chance.uniform(30, 80, 600), chance.uniform(0, 5, 600)])
    rows = rows.astype(np.float32)
    hours = 0.8 * rows[:, 0] - 0.3 * rows[:, 1] + 4 * rows[:, 2] + 50 + chance.normal(0, 1, 600)
    model = make_pipeline(StandardScaler(), GradientBoostingRegressor(n_estimators=40, random_state=0))
    model.fit(rows[:400], hours[:400])
    (folder / "model.onnx").write_bytes(to_onnx(model, rows[:1], target_opset=18).SerializeToString())
    lines = ["厚度(mm),温度(℃),风速(m/s),时间(h)"]
    lines += [
        ",".join(f"{each:.3f}" for each in (*row, hour)) for row, hour in zip(rows[400:], hours[400:], strict=True)
    ]
    (folder / "data.csv").write_bytes(("\n".join(lines) + "\n").encode("gb18030"))
    return folder


def zhigai(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zhigai", *words], cwd=cwd, capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(cwd), "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip


def confirm(folder: Path) -> None:
    """What the engineer writes where it says 请确认."""
    path = folder / "component.yaml"
    about = yaml.safe_load(path.read_text(encoding="utf-8"))
    about |= {**TEXTS, "industries": ["wood"], "directions": ["equipment"], "keywords": ["干燥时间"]}
    path.write_text(yaml.safe_dump(about, allow_unicode=True, sort_keys=False), encoding="utf-8")
    release = folder / "releases" / "1.0.0"
    for name in ("card.md", "card.en.md", "release.json"):
        text = (release / name).read_text(encoding="utf-8")
        (release / name).write_text(text.replace("请确认 / please confirm", "测试"), encoding="utf-8")


def test_a_model_comes_from_a_laptop_to_a_strangers_first_call(platform: Running, laptop: Path) -> None:
    begun = zhigai("component", "init", "--from", "model.onnx", "data.csv", "--name", NAME, cwd=laptop)
    assert begun.returncode == 0, begun.stderr
    folder = laptop / "components" / NAME
    signature = yaml.safe_load((folder / "releases" / "1.0.0" / "signature.yaml").read_text(encoding="utf-8"))
    assert [(each["title_zh"], each["unit"]) for each in signature["inputs"]] == [
        ("厚度", "mm"), ("温度", "°C"), ("风速", "m/s"),
    ]  # fmt: skip
    assert 20 <= signature["inputs"][0]["minimum"] < signature["inputs"][0]["maximum"] <= 60
    assert signature["outputs"][0]["unit"] == "h"

    unfinished = zhigai("component", "check", NAME, "--root", "components", cwd=laptop)
    assert unfinished.returncode != 0
    assert "please-confirm: component.yaml line" in unfinished.stdout
    confirm(folder)
    checked = zhigai("component", "check", NAME, "--root", "components", cwd=laptop)
    assert checked.returncode == 0, checked.stdout + checked.stderr

    published = zhigai(
        "component", "publish", NAME, "--root", "components", "--to", platform.url,
        "--key-file", str(platform.home / "admin.key"), cwd=laptop,
    )  # fmt: skip
    assert published.returncode == 0, published.stdout + published.stderr
    assert "published" in published.stdout

    shown = platform.get(f"/api/v1/components/{NAME}")
    assert [each["name"] for each in shown["examples"]] == ["low", "middle", "high"]
    for example in shown["examples"]:
        answer = platform.call("POST", f"/api/v1/components/{NAME}/predict", example["request"])
        assert answer.status == 200, answer.body
        (given,), (stored,) = answer.json()["predictions"], example["answer"]["predictions"]
        assert given["value"] == pytest.approx(stored["value"], rel=1e-5), "laptop and server say the same"
        assert given["interval"]["low"] < given["value"] < given["interval"]["high"]
        assert given["unit"] == "h"
        assert given["in_range"] is True


def test_laptop_and_server_refuse_by_the_same_rule(platform: Running, laptop: Path) -> None:
    zhigai("component", "init", "--from", "model.onnx", "data.csv", "--name", "wrong-answers", cwd=laptop)
    folder = laptop / "components" / "wrong-answers"
    confirm(folder)
    path = folder / "releases" / "1.0.0" / "examples.yaml"
    examples = yaml.safe_load(path.read_text(encoding="utf-8"))
    examples[1]["answer"]["predictions"][0]["value"] += 1
    path.write_text(yaml.safe_dump(examples, allow_unicode=True), encoding="utf-8")
    checked = zhigai("component", "check", "wrong-answers", "--root", "components", cwd=laptop)
    assert "example-answer: releases/1.0.0/examples.yaml middle" in checked.stdout
    key = {"X-API-Key": platform.admin_key}
    about = yaml.safe_load((folder / "component.yaml").read_text(encoding="utf-8"))
    sent = {name: about[name] for name in ("name", *TEXTS, "industries", "directions", "keywords")}
    assert platform.call("POST", "/api/v1/components", sent, headers=key).status == 201
    examples_good = yaml.safe_load(path.read_text(encoding="utf-8"))
    body = _package(folder, examples_good)
    accepted = platform.call("POST", "/api/v1/components/wrong-answers/releases", body, headers=key)
    assert accepted.status == 202, accepted.body
    job: dict[str, Any] = {"state": "queued"}
    while job["state"] in ("queued", "running"):
        job = platform.call("GET", accepted.headers["Location"], query={"wait": 20}, headers=key).json()
    assert job["state"] == "failed"
    assert "example-answer: releases/1.0.0/examples.yaml middle" in job["problem"]["detail"]


def _package(folder: Path, examples: list[Any]) -> dict[str, Any]:
    import base64
    import json

    release = folder / "releases" / "1.0.0"
    return {
        "version": "1.0.0",
        "signature": yaml.safe_load((release / "signature.yaml").read_text(encoding="utf-8")),
        "examples": examples,
        "intervals": json.loads((release / "intervals.json").read_text(encoding="utf-8")),
        "lineage": json.loads((release / "release.json").read_text(encoding="utf-8")),
        "card": {"zh": "# 测试", "en": "# Test"},
        "model": base64.b64encode((release / "model.onnx").read_bytes()).decode(),
    }


def test_stages_are_met_on_both_protocols(platform: Running) -> None:
    """Deprecated with its headers, quarantined 503, retired 410: friendly call and open protocol alike."""
    key = {"X-API-Key": platform.admin_key}
    (example,) = platform.get(f"/api/v1/components/{NAME}")["examples"][:1]
    names = [each["name"] for each in platform.get(f"/api/v1/components/{NAME}")["signature"]["inputs"]]
    row = [example["request"]["instances"][0][name] for name in names]
    tensors = {"inputs": [{"name": "input", "shape": [1, 3], "datatype": "FP32", "data": row}]}

    def both() -> list[Any]:
        return [
            platform.call("POST", f"/api/v1/components/{NAME}/predict", example["request"]),
            platform.call("POST", f"/v2/models/{NAME}/infer", tensors, headers=key),
        ]

    def move(stage: str, **more: Any) -> None:
        body = {"stage": stage, "reason": "测试", **more}
        moved = platform.call("POST", f"/api/v1/components/{NAME}/stage", body, headers=key)
        assert moved.status == 200, moved.body

    assert [answer.status for answer in both()] == [200, 200]
    move("deprecated", sunset="2099-01-02T03:04:05Z")
    for answer in both():
        assert answer.status == 200
        assert answer.headers["Sunset"] == "Fri, 02 Jan 2099 03:04:05 GMT"
        assert answer.headers["Deprecation"].startswith("@")
    move("quarantined")
    for answer in both():
        assert (answer.status, answer.json()["type"]) == (503, "/problems/component-quarantined")
        assert answer.headers["Retry-After"]
    assert platform.call("GET", f"/v2/models/{NAME}/ready", headers=key).status == 503
    assert platform.call("GET", f"/v2/models/{NAME}", headers=key).status == 200
    move("published")
    assert [answer.status for answer in both()] == [200, 200]
    found = platform.call("GET", f"/api/v1/components/{NAME}/monitoring", headers=key)
    assert found.status == 200
    assert found.json()["releases"][0]["calls"] >= 9
    assert found.json()["releases"][0]["has_reference"] is True
    move("retired")
    for answer in both():
        assert (answer.status, answer.json()["type"]) == (410, "/problems/component-retired")
    assert platform.call("GET", f"/v2/models/{NAME}", headers=key).status == 410
