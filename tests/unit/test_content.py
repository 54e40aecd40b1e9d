"""The shipped content is sound, and the check that says so notices what it claims to notice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.knowledge.rendering import to_html
from shared.fields import INDUSTRIES
from tests.unit.content_samples import ARTICLE, COMPONENT, ROOT, SOLUTION, TEXT, Tree
from zhigai.content_check import GAPS, KNOWLEDGE, PLAN, RULES, check
from zhigai.content_rules.files import read
from zhigai.content_words import Standards


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_the_shipped_content_has_no_faults() -> None:
    """What is still to be written is a gap, told by the report; what stands there is in order."""
    assert [found for found in check(ROOT) if found.rule not in GAPS] == []


def test_every_industry_has_solutions_and_the_knowledge_base_articles() -> None:
    content = read(ROOT)
    for industry in INDUSTRIES:
        assert sum(industry in each.content["industries"] for each in content.solutions.values()) >= 3, industry
    assert len(content.articles) >= 40


def test_sound_content_has_no_findings(tree: Tree) -> None:
    assert tree.findings() == []


HEARSAY = {"low": 1, "high": 2, "unit": "万元", "status": "experience", "source": "听说", "year": 2020}
SOLUTION_FAULTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str, str]] = {
    "a field too many": (lambda s: s.update(price=1), "schema", "price"),
    "a field too few": (lambda s: s.pop("acceptance"), "schema", "acceptance"),
    "an unknown industry": (lambda s: s.update(industries=["steel"]), "schema", "industries.0"),
    "an unknown direction": (lambda s: s["measures"][0].update(direction="roof"), "schema", "measures.0.direction"),
    "an unknown status": (lambda s: s["effects"][0].update(status="sure"), "schema", "effects.0.status"),
    "a range upside down": (lambda s: s["effects"][0].update(low=20), "schema", "effects.0.low"),
    "two measures only": (lambda s: s["measures"].pop(), "schema", "measures"),
    "a date that is none": (lambda s: s.update(last_confirmed="soon"), "schema", "last_confirmed"),
    "confirmed in the future": (
        lambda s: s.update(last_confirmed="2099-01-01", confirm_by="2099-02-01"), "date", "last_confirmed"
    ),
    "an unknown component": (lambda s: s["components"].append("crystal-ball"), "reference", "components"),
    "an unknown article": (lambda s: s["articles"].append("nowhere"), "reference", "articles"),
    "an unknown term": (lambda s: s["terms"].append("不存在的词"), "reference", "terms"),
    "an unknown rule": (lambda s: s.update(subsidy_rule="county_addon"), "reference", "subsidy_rule"),
    "a check by a component not listed": (lambda s: s.update(components=[]), "reference", "effects.0.verify.component"),
    "a standard not in the list": (lambda s: s["standards"].append("GB/T 99999"), "standard", "standards"),
    "a standard in the text": (lambda s: s.update(problem="按 GB/T 99999-2020 做"), "standard", "problem"),
    "a source without a year": (lambda s: s["effects"][0].update(status="sourced"), "source", "effects.0.year"),
    "a price from nowhere": (lambda s: s["risks"].append("大约要 30 万元"), "money", "risks.0"),
    "a price by the kWh": (lambda s: s["risks"].append("电价 0.8 元/kWh"), "money", "risks.0"),
    "an investment by hearsay": (
        lambda s: s.update(investment=dict(HEARSAY)), "source", "investment.status"
    ),
    "an id of another industry": (lambda s: s.update(id="paper-stenter"), "id", "id"),
    "no scale": (lambda s: s.pop("scale"), "incomplete", "scale"),
    "no step": (lambda s: s.update(steps=[]), "incomplete", "steps"),
    "no equipment": (lambda s: s.pop("equipment"), "incomplete", "equipment"),
    "no integration": (lambda s: s.pop("integration"), "incomplete", "integration"),
    "an unknown scale": (lambda s: s.update(scale="huge"), "schema", "scale"),
    "integration without a protocol": (
        lambda s: s["integration"][0].pop("protocol"), "schema", "integration.0.protocol"
    ),
    "a step of no chain": (lambda s: s["steps"].append("weaving"), "reference", "steps"),
    "an unknown unit": (lambda s: s["data_points"][0].update(unit="furlong"), "unit", "data_points.0.unit"),
    "an unknown unit of an effect": (lambda s: s["effects"][0].update(unit="kWh/打"), "unit", "effects.0.unit"),
    "an effect beyond its figure's range": (
        lambda s: s["effects"][0].update(kpi="蒸汽单耗", low=50, high=90), "range", "effects.0"
    ),
    "an effect beyond its figure's range in its unit": (
        lambda s: s["effects"][0].update(kpi="蒸汽单耗", unit="t/t", low=1, high=10), "range", "effects.0"
    ),
    "a fall of everything": (lambda s: s["effects"][0].update(low=90, high=100), "range", "effects.0"),
    "a negative effect": (lambda s: s["effects"][0].update(low=-5, high=5), "range", "effects.0"),
    "a sentence without an end": (lambda s: s["risks"].append("长" * 101), "reading", "risks.0"),
    "a paragraph without an end": (lambda s: s.update(suits="这句话不长。" * 51), "reading", "suits"),
    "a problem that is an essay": (lambda s: s.update(problem="太长了。" * 76), "length", "problem"),
    "a summary that is an essay": (lambda s: s["summary"].update(zh="太长了。" * 40), "length", "summary.zh"),
    "a path of a machine": (lambda s: s["risks"].append("见 /root/notes.txt"), "word", "risks.0"),
    "a registry's address": (lambda s: s["risks"].append("https://pypi.org/simple"), "word", "risks.0"),
}  # fmt: skip


@pytest.mark.parametrize("fault", SOLUTION_FAULTS)
def test_a_fault_in_a_solution_is_found_at_its_place(tree: Tree, fault: str) -> None:
    damage, rule, path = SOLUTION_FAULTS[fault]
    damage(tree.solution)
    assert (SOLUTION, rule, path) in [(each.file, each.rule, each.path) for each in tree.findings()]


CAUSE = {"cause": "滤网堵", "check": "看压差", "remedy": "清洗"}
ARTICLE_FAULTS: dict[str, tuple[Callable[[Tree], Any], str, str]] = {
    "an unknown kind": (lambda t: t.article.update(kind="news"), "schema", "kind"),
    "no source": (lambda t: t.article.update(sources=[]), "schema", "sources"),
    "sourced without a source": (lambda t: t.article.update(status="sourced"), "source", "status"),
    "related to itself": (lambda t: t.article.update(related=["dyeing-stenter-test-article"]), "reference", "related"),
    "related to nothing": (lambda t: t.article.update(related=["nowhere"]), "reference", "related"),
    "an unknown term": (lambda t: t.article.update(terms=["不存在的词"]), "reference", "terms"),
    "raw HTML": (lambda t: setattr(t, "text", TEXT + "\n<b>看</b>\n"), "markdown", "text"),
    "a title in the text": (lambda t: setattr(t, "text", "# 题目\n" + TEXT), "markdown", "text"),
    "hardly a text": (lambda t: setattr(t, "text", "短。\n"), "markdown", "text"),
    "money in the text": (lambda t: setattr(t, "text", TEXT + "补助 1500 万元\n"), "money", "text line 4"),
    "a standard in the text": (lambda t: setattr(t, "text", TEXT + "见 HJ 12345\n"), "standard", "text line 4"),
    "no word about steps": (lambda t: t.article.pop("steps"), "incomplete", "steps"),
    "a step of no chain": (lambda t: t.article.update(steps=["weaving"]), "reference", "steps"),
    "a fault without causes": (lambda t: t.article.update(kind="fault"), "incomplete", "causes"),
    "two causes only": (lambda t: t.article.update(kind="fault", causes=[CAUSE] * 2), "schema", "causes"),
    "causes of what is no fault": (lambda t: t.article.update(causes=[CAUSE] * 3), "schema", "causes"),
    "a cause without a check": (
        lambda t: t.article.update(kind="fault", causes=[CAUSE, CAUSE, {"cause": "堵", "remedy": "清"}]),
        "schema",
        "causes.2.check",
    ),
    "steps for all industries": (lambda t: t.article.update(industries=["all"]), "schema", "steps"),
    "a text without an end": (lambda t: setattr(t, "text", TEXT + "\n\n看表。" * 700), "length", "text"),
    "a paragraph without an end": (
        lambda t: setattr(t, "text", TEXT + "\n" + "看看表。" * 80),
        "reading",
        "text line 5",
    ),
    "mostly long sentences": (lambda t: setattr(t, "text", ("很" * 61 + "。\n\n") * 4), "reading", ""),
    "all and one more": (lambda t: t.article.update(industries=["all", "dyeing"]), "schema", "industries"),
}


@pytest.mark.parametrize("fault", ARTICLE_FAULTS)
def test_a_fault_in_an_article_is_found_at_its_place(tree: Tree, fault: str) -> None:
    damage, rule, path = ARTICLE_FAULTS[fault]
    damage(tree)
    assert (ARTICLE, rule, path) in [(each.file, each.rule, each.path) for each in tree.findings()]


def test_money_with_source_and_year_or_called_an_estimate_passes(tree: Tree) -> None:
    tree.solution["risks"] = ["按估算约 30 万元", "《三年行动计划》（2019 年）：最高 1500 万元"]
    tree.article["sources"] = [{"text": "三年行动计划，2019 年 4 月 18 日印发", "status": "sourced"}]
    tree.text += "补助最高 1500 万元。\n"
    assert tree.findings() == []


def test_a_file_in_the_wrong_place_is_found(tree: Tree) -> None:
    found = tree.findings(solution=SOLUTION.replace("/dyeing/", "/paper/"))
    assert [each.rule for each in found if "/paper/" in each.file] == ["place"]


def test_an_id_that_is_not_the_files_name_is_found(tree: Tree) -> None:
    found = tree.findings(article=ARTICLE.replace("test-article", "other"))
    assert "id" in {each.rule for each in found}


def test_a_component_that_points_nowhere_is_found(tree: Tree) -> None:
    tree.component["articles"] = ["nowhere"]
    assert [(each.file, each.path) for each in tree.findings()] == [(COMPONENT, "articles")]


def test_a_rule_whose_case_does_not_come_out_is_found(tree: Tree) -> None:
    file = tree.root / RULES / "demo_project_grant.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace('rate: "0.20"', 'rate: "0.02"'), encoding="utf-8")
    assert "case" in {each.rule for each in tree.findings()}


def test_an_annex_that_does_not_add_up_is_found(tree: Tree) -> None:
    file = tree.root / PLAN
    file.write_text(file.read_text(encoding="utf-8").replace("2430, 1230, 450]", "2430, 1230, 550]"), encoding="utf-8")
    assert [(each.rule, each.path) for each in tree.findings()] == [("sum", "robots_in_service.2020")]


def test_too_little_content_is_found(tree: Tree) -> None:
    tree.findings()
    counts = [each for each in check(tree.root) if each.rule == "count"]
    said = {(each.file, each.message) for each in counts}
    assert ("services/catalog/content/solutions/dyeing", "1 solutions, at least 16 wanted") in said
    assert ("services/knowledge/content/articles/dyeing", "1 articles, at least 25 wanted") in said
    assert ("services/knowledge/content/articles/dyeing", "0 articles on faults, at least 10 wanted") in said
    assert ("services/knowledge/content/articles/all", "0 general articles, at least 60 wanted") in said
    assert ("services/catalog/content/solutions/dyeing", "1 components linked, at least 4 wanted") in said
    assert ("services/catalog/content/starter_packs/dyeing.yaml", "there is no such file") in said
    assert ("services/knowledge/content/chains/paper.yaml", "there is no such file") in said


@pytest.mark.parametrize(
    "number", ["GB/T 2589-2020", "GB/T2589", "IPC-A-610", "J-STD-020", "ISO 105-C06", "GB/T 2423.17", "IATF 16949:2016"]
)
def test_a_number_is_known_in_the_ways_people_write_it(number: str) -> None:
    standards = Standards.read(ROOT / KNOWLEDGE / "standards.yaml")
    assert standards.allows(number)
    assert [standards.allows(each) for each in standards.named_in(f"按{number}执行")] == [True]


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("实现**“节能”**改造", "<p>实现<strong>“节能”</strong>改造</p>\n"),
        ("**注意：**看温度", "<p><strong>注意：</strong>看温度</p>\n"),
        ("*强调*了", "<p><em>强调</em>了</p>\n"),
        ("第一行\n第二行", "<p>第一行第二行</p>\n"),
        ("first\nsecond", "<p>first\nsecond</p>\n"),
        ("a_b_c 不是斜体", "<p>a_b_c 不是斜体</p>\n"),
    ],
)
def test_chinese_markdown_is_set_right(markdown: str, html: str) -> None:
    assert to_html(markdown) == html


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](javascript:alert(1))",
        "<svg/onload=alert(1)>",
        '[x](https://a.b "onmouseover=alert(1)")',
        "<javascript:alert(1)>",
        "```<img src=x onerror=alert(1)>```",
    ],
)
def test_no_markdown_becomes_a_script(hostile: str) -> None:
    html = to_html(hostile).replace("&lt;", "").lower()
    assert "<script" not in html
    assert "<img" not in html
    assert "<svg" not in html
    assert 'href="javascript' not in html
    assert 'href="data' not in html
