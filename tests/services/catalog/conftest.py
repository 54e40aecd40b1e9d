from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.catalog import app as catalog
from shared.settings import Settings
from tests.services.callers import Callers


def solution(solution_id: str, industry: str = "dyeing", **changes: Any) -> dict[str, Any]:
    effect = {
        "kpi": "单位产品综合能耗", "unit": "%", "change": "lower", "low": 5, "high": 15, "status": "experience",
        "source": "行业通行工程经验", "year": None,
        "verify": {"text": "前后各测一周", "component": "stenter-heat-balance"},
    }  # fmt: skip
    return {
        "id": solution_id, "industries": [industry], "directions": ["equipment"],
        "title": {"zh": f"定型机余热回收 {solution_id}", "en": f"Heat recovery {solution_id}"},
        "summary": {"zh": "把排风带走的热收回来", "en": "Take back the heat of the exhaust"},
        "keywords": ["余热回收"], "problem": "定型机能耗太高", "suits": "有定型机的厂",
        "measures": [{"direction": "equipment", "title": f"第{n}步", "text": "做这一步"} for n in range(3)],
        "data_points": [{"name": "排风含湿", "unit": "g/kg", "why": "看热损失"}], "effects": [effect],
        "investment": None, "effort": {"months_low": 1, "months_high": 3, "status": "experience"},
        "prerequisites": [], "risks": ["冷凝堵塞"], "roles": [{"who": "设备主管", "does": "定点"}], "ask_provider": [],
        "acceptance": ["单位产品能耗降下来"], "subsidy_rule": "demo_project_grant",
        "components": ["stenter-heat-balance"], "articles": [], "terms": ["定型机", "没有这个词"],
        "standards": ["GB 4287"], "owner": "content-dyeing", "last_confirmed": "2026-11-23", "confirm_by": "2027-11-23",
        **changes,
    }  # fmt: skip


@pytest.fixture
def shelf(tmp_path: Path) -> Callable[..., Path]:
    """Writes a folder of solution files holding exactly these."""

    def write(*solutions: dict[str, Any]) -> Path:
        for old in tmp_path.glob("*/*.yaml"):
            old.unlink()
        for content in solutions:
            file = tmp_path / content["industries"][0] / f"{content['id']}.yaml"
            file.parent.mkdir(exist_ok=True)
            dates = "".join(f"{name}: {content[name]}\n" for name in ("last_confirmed", "confirm_by"))
            rest = {name: value for name, value in content.items() if name not in ("last_confirmed", "confirm_by")}
            file.write_text(yaml.safe_dump(rest, allow_unicode=True) + dates, encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def app(settings: Settings) -> Iterator[Any]:
    catalog.migrate(settings)
    made = catalog.create_app(settings)
    yield made
    made.extensions["zhigai"].close()


@pytest.fixture
def callers(app: Any, settings: Settings) -> Callers:
    return Callers(app.test_client(), settings)
