"""A small repository of content for the tests of its check: sound, and easily damaged."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from zhigai.content_check import KNOWLEDGE, PLAN, RULES, VOCABULARY, Finding, check

ROOT = Path(__file__).parents[2]
SOLUTION = "services/catalog/content/solutions/dyeing/dyeing-stenter-test.yaml"
ARTICLE = "services/knowledge/content/articles/dyeing-stenter-test-article.md"
CHAIN = "services/knowledge/content/chains/dyeing.yaml"
DIAGNOSIS = "services/programme/content/diagnosis/dyeing.yaml"
PACK = "services/catalog/content/starter_packs/dyeing.yaml"
DATED = {"last_confirmed", "confirm_by"}
COMPONENT = "services/models/content/components/stenter-heat-balance/component.yaml"


def a_solution() -> dict[str, Any]:
    effect = {
        "kpi": "单位产品综合能耗", "unit": "%", "change": "lower", "low": 5, "high": 15, "status": "experience",
        "source": "行业通行工程经验", "year": None,
        "verify": {"text": "改造前后各测一周", "component": "stenter-heat-balance"},
    }  # fmt: skip
    return {
        "id": "dyeing-stenter-test", "industries": ["dyeing"], "directions": ["equipment"],
        "scale": "low_cost", "steps": ["heat-setting"], "equipment": ["风水换热器，换热面可拆洗"],
        "integration": [{"with": "定型机控制柜", "protocol": "Modbus RTU", "how": "只读车速和烘箱温度"}],
        "title": {"zh": "定型机余热回收", "en": "Heat recovery"}, "summary": {"zh": "一句话", "en": "One line"},
        "keywords": ["定型机"], "problem": "能耗高", "suits": "有定型机的厂",
        "measures": [{"direction": "equipment", "title": f"第{n}步", "text": "做这一步"} for n in range(3)],
        "data_points": [{"name": "排风含湿", "unit": "g/kg", "why": "看热损失"}], "effects": [effect],
        "investment": None, "effort": None, "prerequisites": [], "risks": [], "roles": [], "ask_provider": [],
        "acceptance": ["能耗降下来"], "subsidy_rule": "demo_project_grant", "components": ["stenter-heat-balance"],
        "articles": ["dyeing-stenter-test-article"], "terms": ["定型机"], "standards": ["GB 4287"],
        "owner": "content-dyeing", "last_confirmed": "2026-11-23", "confirm_by": "2027-11-23",
    }  # fmt: skip


def an_article() -> dict[str, Any]:
    return {
        "id": "dyeing-stenter-test-article", "kind": "parameter", "industries": ["dyeing"], "directions": [],
        "steps": ["heat-setting"],
        "title": {"zh": "排风含湿", "en": "Exhaust humidity"}, "summary": {"zh": "一句话", "en": "One line"},
        "keywords": [], "status": "experience", "sources": [{"text": "行业通行工程经验", "status": "experience"}],
        "standards": [], "components": ["stenter-heat-balance"], "related": [], "terms": ["定型机"],
        "owner": "content-dyeing", "last_confirmed": "2026-11-23", "confirm_by": "2027-11-23",
    }  # fmt: skip


def a_chain() -> dict[str, Any]:
    names = ["grey-inspection", "singeing", "desizing", "scouring", "bleaching", "dyeing", "washing", "heat-setting"]
    parameter = {"name": "布速", "unit": "m/min", "window": "20～60", "status": "experience"}
    steps = [
        {"id": name, "zh": f"第{n}道", "en": name, "equipment": ["定型机"], "parameters": [dict(parameter)],
         "quality": ["色差"], "energy": ["蒸汽"], "next": names[n : n + 1]}
        for n, name in enumerate(names, 1)
    ]  # fmt: skip
    return {"industry": "dyeing", "title": {"zh": "印染工序", "en": "Dyeing"}, "source": "行业通行工程知识",
            "status": "experience", "steps": steps}  # fmt: skip


def a_diagnosis() -> dict[str, Any]:
    options = [{"level": level, "zh": f"第{level}级", "en": f"Level {level}"} for level in (1, 2, 4, 5)]
    questions = [
        {"id": f"question-{n}", "text": {"zh": f"问题{n}？", "en": "?"}, "why": {"zh": "看基础", "en": "Base"},
         "step": "heat-setting", "options": [dict(each) for each in options], "measures": ["dyeing-stenter-test"]}
        for n in range(6)
    ]  # fmt: skip
    return {"industry": "dyeing", "status": "experience", "questions": questions}


def a_pack() -> dict[str, Any]:
    """Names one solution three times, which is a finding."""
    text = {"zh": "先看数", "en": "Look first"}
    measure = {"solution": "dyeing-stenter-test", "why_first": text, "first_week": text, "proof": text,
               "component": "stenter-heat-balance"}  # fmt: skip
    return {"industry": "dyeing", "title": text, "for": text, "measures": [dict(measure) for _ in range(3)],
            "not_yet": [text, text]}  # fmt: skip


TEXT = "## 怎么看\n\n" + "排风越干，随排风走的热越多；先测，再调阀门，最后看单位产品能耗。" * 8 + "\n"


class Tree:
    """A small repository of content: the real rules, plan, standards, units and terms, one entry of each kind."""

    def __init__(self, root: Path) -> None:
        self.root = root
        lists = [KNOWLEDGE / name for name in ("standards.yaml", "units.yaml", "kpis.yaml")]
        for file in [*lists, PLAN, VOCABULARY, *(RULES / path.name for path in _rules())]:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, root / file)
        self.solution, self.article, self.text = a_solution(), an_article(), TEXT
        self.chain, self.diagnosis = a_chain(), a_diagnosis()
        self.pack: dict[str, Any] | None = None
        self.others: dict[str, str] = {}
        """Further files by name."""
        self.component: dict[str, Any] = {"articles": [], "solutions": ["dyeing-stenter-test"]}

    def findings(self, solution: str = SOLUTION, article: str = ARTICLE) -> list[Finding]:
        self._write(solution, _yaml(self.solution, DATED))
        self._write(article, f"---\n{_yaml(self.article, DATED)}---\n{self.text}")
        self._write(COMPONENT, _yaml(self.component, set()))
        self._write(CHAIN, _yaml(self.chain, set()))
        self._write(DIAGNOSIS, _yaml(self.diagnosis, set()))
        if self.pack is not None:
            self._write(PACK, _yaml(self.pack, set()))
        for name, text in self.others.items():
            self._write(name, text)
        return [each for each in check(self.root) if each.rule not in ("count", "coverage")]

    def another_solution(self, solution_id: str, **changes: Any) -> str:
        """Adds a solution to the tree; where it lies."""
        name = SOLUTION.replace("dyeing-stenter-test", solution_id)
        self.others[name] = _yaml({**a_solution(), "id": solution_id, **changes}, DATED)
        return name

    def another_article(self, article_id: str, text: str, **changes: Any) -> str:
        name = ARTICLE.replace("dyeing-stenter-test-article", article_id)
        self.others[name] = f"---\n{_yaml({**an_article(), 'id': article_id, **changes}, DATED)}---\n{text}"
        return name

    def _write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")


def _rules() -> list[Path]:
    return sorted((ROOT / RULES).glob("*.yaml"))


def _yaml(value: dict[str, Any], unquoted: set[str]) -> str:
    lines = yaml.safe_dump({name: each for name, each in value.items() if name not in unquoted}, allow_unicode=True)
    return lines + "".join(f"{name}: {value[name]}\n" for name in sorted(unquoted & set(value)))
