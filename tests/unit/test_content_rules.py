"""What the content's rules find across entries, and what its report counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.unit.content_samples import ARTICLE, CHAIN, DIAGNOSIS, PACK, ROOT, SOLUTION, TEXT, Tree, a_pack
from zhigai.cli import main
from zhigai.content_check import KNOWLEDGE, check
from zhigai.content_report import as_text, report
from zhigai.content_rules.figures import known_units, unknown_parts

OWN_TEXT = "## 别处没有的话\n\n" + "".join(f"第{n}天抄表，把读数写进第{n}格，再与前一天比。\n\n" for n in range(12))


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def found(tree: Tree) -> set[tuple[str, str, str]]:
    return {(each.file, each.rule, each.path) for each in tree.findings()}


CHAIN_FAULTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str, str]] = {
    "seven steps only": (lambda c: c["steps"].pop(), "schema", "steps"),
    "a step twice": (lambda c: c["steps"][1].update(id="grey-inspection"), "schema", "steps"),
    "a next step that is none": (lambda c: c["steps"][7].update(next=["nowhere"]), "schema", "steps.7.next"),
    "a step after itself": (lambda c: c["steps"][7].update(next=["heat-setting"]), "schema", "steps.7.next"),
    "a parameter without a status": (
        lambda c: c["steps"][0]["parameters"][0].pop("status"), "schema", "steps.0.parameters.0.status"
    ),
    "an unknown unit": (
        lambda c: c["steps"][2]["parameters"][0].update(unit="furlong"), "unit", "steps.2.parameters.0.unit"
    ),
    "a standard that is none": (
        lambda c: c["steps"][2]["parameters"][0].update(window="见 GB/T 99999"), "standard", "steps.2.parameters.0.window"
    ),
    "another industry's name": (lambda c: c.update(industry="paper"), "id", "industry"),
}  # fmt: skip


@pytest.mark.parametrize("fault", CHAIN_FAULTS)
def test_a_fault_in_a_chain_is_found_at_its_place(tree: Tree, fault: str) -> None:
    damage, rule, path = CHAIN_FAULTS[fault]
    damage(tree.chain)
    assert (CHAIN, rule, path) in found(tree)


DIAGNOSIS_FAULTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str, str]] = {
    "five questions only": (lambda d: d["questions"].pop(), "schema", "questions"),
    "a question twice": (lambda d: d["questions"][1].update(id="question-0"), "schema", "questions"),
    "levels that do not rise": (
        lambda d: d["questions"][0]["options"][1].update(level=1), "schema", "questions.0.options"
    ),
    "three answers only": (lambda d: d["questions"][0]["options"].pop(), "schema", "questions.0.options"),
    "a step of no chain": (lambda d: d["questions"][3].update(step="weaving"), "reference", "questions.3.step"),
    "a measure that is none": (
        lambda d: d["questions"][3].update(measures=["nowhere"]), "reference", "questions.3.measures"
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", DIAGNOSIS_FAULTS)
def test_a_fault_in_a_diagnosis_is_found_at_its_place(tree: Tree, fault: str) -> None:
    damage, rule, path = DIAGNOSIS_FAULTS[fault]
    damage(tree.diagnosis)
    assert (DIAGNOSIS, rule, path) in found(tree)


def test_a_starter_pack_leads_to_three_solutions_of_its_industry(tree: Tree) -> None:
    tree.pack = a_pack()
    assert {(PACK, "reference", "measures")} == found(tree)
    tree.pack["measures"][1]["solution"] = "nowhere"
    tree.pack["measures"][2]["component"] = "crystal-ball"
    assert {(PACK, "reference", "measures.1.solution"), (PACK, "reference", "measures.2.component")} <= found(tree)
    tree.pack["measures"].pop()
    assert (PACK, "schema", "measures") in found(tree)


def test_a_solution_of_another_industry_is_no_measure_of_this_one(tree: Tree) -> None:
    tree.diagnosis["industry"] = "paper"
    tree.others[DIAGNOSIS.replace("dyeing", "paper")] = json.dumps(tree.diagnosis, ensure_ascii=False)
    tree.diagnosis = {**tree.diagnosis, "industry": "dyeing"}
    assert (DIAGNOSIS.replace("dyeing", "paper"), "reference", "questions.0.measures") in found(tree)


def test_an_entry_to_which_nothing_leads_is_found(tree: Tree) -> None:
    lonely = tree.another_article("general-lonely", OWN_TEXT, industries=["all"], steps=[])
    assert found(tree) == {(lonely, "orphan", "id")}
    tree.article["related"] = ["general-lonely"]
    assert found(tree) == set()


def test_an_entry_at_a_step_of_the_chain_is_no_orphan(tree: Tree) -> None:
    tree.another_article("dyeing-alone", OWN_TEXT)
    assert found(tree) == set()


def a_call(**changes: Any) -> dict[str, Any]:
    quoted = [{"output": "heat_kw", "text": "987", "unit": "kW"}]
    request: dict[str, Any] = {"instances": [{"fabric_kg_h": 900}]}
    return {"id": "before", "component": "stenter-heat-balance", "request": request, "quoted": quoted, **changes}


WORKED_FAULTS: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "no calls": ([], "schema", "worked"),
    "an id twice": ([a_call(), a_call()], "worked", "worked.1.id"),
    "a component that is not": ([a_call(component="nowhere")], "reference", "worked.0.component"),
    "no instances": ([a_call(request={})], "worked", "worked.0.request"),
    "two instances": ([a_call(request={"instances": [{}, {}]})], "worked", "worked.0.request"),
    "a figure that the text does not say": (
        [a_call(quoted=[{"output": "value", "text": "98", "unit": ""}])], "worked", "worked.0.quoted.0.text"
    ),
    "a difference to no call": (
        [a_call(quoted=[{"output": "value", "text": "987", "unit": "", "against": "after"}])],
        "worked", "worked.0.quoted.0.against",
    ),
    "a quotation without a unit": (
        [a_call(quoted=[{"output": "value", "text": "987"}])], "schema", "worked.0.quoted.0.unit"
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", WORKED_FAULTS)
def test_a_fault_in_a_worked_call_is_found_at_its_place(tree: Tree, fault: str) -> None:
    calls, rule, path = WORKED_FAULTS[fault]
    tree.text = f"{TEXT}\n热耗 987 kW，含湿 0.0488 kg/kg。\n"
    tree.article.update(kind="example", worked=calls)
    assert (ARTICLE, rule, path) in found(tree)


def test_a_worked_call_whose_figure_stands_in_the_text_is_fine(tree: Tree) -> None:
    tree.text = f"{TEXT}\n热耗 987 kW，含湿 0.0488 kg/kg。\n"
    tree.article.update(kind="example", worked=[a_call()])
    assert not [each for each in found(tree) if each[1] in ("worked", "schema")]


def test_an_example_without_calls_is_found(tree: Tree) -> None:
    tree.article.update(kind="example")
    assert (ARTICLE, "worked", "worked") in found(tree)


def test_a_sentence_in_two_entries_is_found_in_both(tree: Tree) -> None:
    said = "每次只降两赫兹，稳定二十分钟以后再看布口有没有烟气出来。"
    tree.solution["risks"] = [said]
    tree.text += f"\n先说一句：{said}\n\n{said}\n"
    assert found(tree) == {(SOLUTION, "repeated", "risks.0"), (ARTICLE, "repeated", "text line 7")}


def test_short_or_fixed_phrases_may_be_repeated(tree: Tree) -> None:
    for said in ("先断电再开门。", "停机检修前断电、挂牌上锁，并验电确认，一人监护一人操作。"):
        tree.solution["risks"] = [said]
        tree.text = f"{TEXT}\n{said}\n"
        assert found(tree) == set()


def test_a_text_with_other_machines_names_is_no_second_solution(tree: Tree) -> None:
    lines = [f"把第{n}台的电表装好，记录第{n}周的读数，和产量放在一张表里比较" for n in range(9)]
    tree.solution["acceptance"] = [f"{line}，定型机旁留一份" for line in lines]
    copy = tree.another_solution("dyeing-vat-test", acceptance=[f"{line}，染缸旁留一份" for line in lines])
    alike = {(each.file, each.rule) for each in tree.findings() if each.rule == "alike"}
    assert alike == {(SOLUTION, "alike"), (copy, "alike")}
    counts = [each.message for each in check(tree.root, "dyeing") if each.rule == "count"]
    assert "1 solutions, at least 16 wanted" in counts


def test_each_direction_scale_and_step_without_an_entry_is_named(tree: Tree) -> None:
    tree.findings()
    empty = {(each.file, each.path, each.message) for each in check(tree.root, "dyeing") if each.rule == "coverage"}
    folder = "services/catalog/content/solutions/dyeing"
    assert (folder, "scale", "no solution of scale full_factory") in empty
    assert (folder, "scale", "no solution of scale low_cost") not in empty
    assert (folder, "directions", "no solution for platform") in empty
    assert (CHAIN, "steps.dyeing", "no solution touches this step") in empty
    assert (CHAIN, "steps.dyeing", "no article is about this step") in empty
    assert not [each for each in empty if each[1] == "steps.heat-setting"]


def test_an_author_sees_the_findings_of_one_industry(tree: Tree) -> None:
    tree.solution["scale"] = "huge"
    tree.findings()
    whole, own = check(tree.root), check(tree.root, "dyeing")
    assert (SOLUTION, "scale") in {(each.file, each.path) for each in own}
    assert all("dyeing" in each.file for each in own)
    assert "services/knowledge/content/articles/all" in {each.file for each in check(tree.root, "all")}
    assert not [each for each in check(tree.root, "all") if "dyeing" in each.file]
    assert set(own) < set(whole)
    shown = CliRunner().invoke(main, ["content", "check", "--root", str(tree.root), "--industry", "paper", "--gaps"])
    assert shown.exit_code == 1
    assert "dyeing" not in shown.output
    assert "services/catalog/content/solutions/paper" in shown.output


@pytest.mark.parametrize(
    "unit",
    ["kg/kg", "次/10万纬", "万元/人·年", "kg/h（干空气）", "kg/kg 干布", "℃、%RH", "分/100m²", "合格/不合格", "kN-°",
     "点或块", "ΔE（CMC 2:1）", "", "-", "g/5m", "N·m", "kWh/万m", "mm/s²"],
)  # fmt: skip
def test_units_are_known_in_the_ways_people_write_them(unit: str) -> None:
    assert list(unknown_parts(unit, known_units(ROOT / KNOWLEDGE / "units.yaml"))) == []


@pytest.mark.parametrize("unit", ["kgs", "m/sek", "furlong", "打", "件/打", "KWH"])
def test_a_unit_that_nobody_lists_is_unknown(unit: str) -> None:
    assert list(unknown_parts(unit, known_units(ROOT / KNOWLEDGE / "units.yaml")))


@pytest.mark.parametrize(
    ("effect", "fine"),
    [
        ({"kpi": "回修率", "unit": "%", "change": "lower", "low": 20, "high": 80}, True),  # 15 -> 2 is 87 %
        ({"kpi": "回修率", "unit": "%", "change": "lower", "low": 20, "high": 88}, False),
        ({"kpi": "成品回修率", "unit": "百分点", "change": "lower", "low": 1, "high": 13}, True),
        ({"kpi": "成品回修率", "unit": "百分点", "change": "lower", "low": 1, "high": 14}, False),
        ({"kpi": "吨布电耗", "unit": "kWh/t", "change": "lower", "low": 100, "high": 1300}, False),
        ({"kpi": "没有范围的指标", "unit": "%", "change": "higher", "low": 100, "high": 400}, True),
        ({"kpi": "浴比", "unit": "%", "change": "lower", "low": 10, "high": 60}, True),  # no range known
        ({"kpi": "回修率", "unit": "%", "change": "lower", "low": None, "high": None}, True),
    ],
)
def test_an_effect_stays_within_the_range_of_its_figure(tree: Tree, effect: dict[str, Any], fine: bool) -> None:
    tree.solution["effects"][0].update(effect)
    assert ((SOLUTION, "range", "effects.0") not in found(tree)) is fine


def test_the_report_counts_and_names_what_is_empty_and_overdue(tree: Tree) -> None:
    tree.solution.update(last_confirmed="2026-01-01", confirm_by="2026-06-30")
    tree.findings()
    made = report(tree.root, date(2026, 7, 1))
    dyeing = next(each for each in made["industries"] if each["id"] == "dyeing")
    assert (dyeing["solutions"], dyeing["articles"], dyeing["by_scale"]["low_cost"]) == (1, 1, 1)
    step = next(each for each in dyeing["steps"] if each["id"] == "heat-setting")
    assert (step["solutions"], step["articles"], step["by_direction"]["equipment"]) == (1, 1, 1)
    assert "dyeing" in dyeing["empty_steps"]
    assert "heat-setting" not in dyeing["empty_steps"]
    assert [each["id"] for each in made["overdue"]] == ["dyeing-stenter-test"]
    assert report(tree.root, date(2026, 6, 30))["overdue"] == []
    assert made["status"]["articles"] == {"sourced": 0, "experience": 1, "unverified": 0}
    text = as_text(made)
    assert "2026-06-30 dyeing-stenter-test (content-dyeing)" in text
    assert "without a solution or an article: grey-inspection, singeing" in text


def test_the_report_is_there_for_programs_too(tree: Tree) -> None:
    tree.findings()
    shown = CliRunner().invoke(main, ["content", "report", "--root", str(tree.root), "--json"])
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.output)["totals"]["chains"] == 1
