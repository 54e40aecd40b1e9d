"""How a query is understood, step by step."""

from __future__ import annotations

import time

import pytest

from services.gateway.search import run, suggest
from services.gateway.search.run import clauses_of, understood
from shared import vocabulary
from shared.errors import BadInput
from shared.search import analysis
from shared.search.highlight import highlighted


def nothing(_service: str, _request: object) -> dict[str, object]:
    return {"total": 0, "hits": [], "facets": {}}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("空鸭机费电", "空压机费电"),
        ("螺拴拧紧力矩", "螺栓拧紧力矩"),
        ("定形机余热回收", "定型机余热回收"),
        ("扭距系数", "扭矩系数"),
        ("轴成寿命", "轴承寿命"),
        ("设备连网", "设备联网"),
    ],
)
def test_a_slip_is_recovered_and_shown(typed: str, meant: str) -> None:
    query, notes = understood(typed)
    assert query.rewritten == meant
    assert notes


@pytest.mark.parametrize(
    "typed",
    [
        "定型机能耗太高怎么办",
        "预热空气",
        "余热回收",
        "经密和纬密",
        "什么是OEE",
        "哪个方案好",
        "冷锻",
        "蒸气浓度",
        "碳势控制",
        "M12 8.8级",
    ],
)
def test_correct_words_are_left_alone(typed: str) -> None:
    assert understood(typed)[0].rewritten == ""


def test_literal_search_rewrites_and_widens_nothing() -> None:
    query, _ = understood("空鸭机费电", literal=True)
    assert (query.rewritten, query.widened) == ("", ())


def test_pairs_that_must_not_be_merged_do_not_widen_one_another() -> None:
    for one, other, _ in vocabulary.load().never_merge_why:
        if one == other:
            continue
        first, second = analysis.normalise(one), analysis.normalise(other)
        widened = {clause.token for clause in understood(one)[0].widened}
        assert second not in widened or second in first, (one, other)


def test_a_synonym_weighs_less_than_the_word_itself() -> None:
    clauses = clauses_of(understood("空压机")[0])
    literal = next(clause.weight for clause in clauses if clause.token == "空压机")
    assert all(clause.weight < literal for clause in clauses if clause.token in ("空气压缩机", "螺杆机"))


def test_an_industry_is_inferred_as_a_boost_and_never_filters() -> None:
    query, _ = understood("定型机能耗")
    assert query.industry == "dyeing"
    assert [clause.token for clause in clauses_of(query) if clause.kind == "industry"] == ["dyeing"]
    assert understood("能耗")[0].industry is None


def test_traditional_and_full_width_writing_finds_the_same_words() -> None:
    assert understood("定型機　ＭＥＳ")[0].words == understood("定型机 mes")[0].words


def test_suggestions_come_by_chinese_by_sound_and_by_initials() -> None:
    assert suggest("kyj")[0]["text"] == "空压机"
    assert any(item["text"] == "定型机" for item in suggest("dingxing"))
    assert all(item["text"].startswith("定型") for item in suggest("定型"))
    assert suggest("") == [] and suggest("!!!") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "!!!???",
        "🔧🔧",
        "' OR 1=1 --",
        "<script>alert(1)</script>",
        "a.*[b",
        "\x00\x07",
        "的" * 300,
        "1" * 300,
        "一" * 300,
        "每" * 300,
        "空鸭机" * 100,
        "a1" * 150,
        "(" * 300,
        "1比" * 150,
        "%s%n%x ${jndi:ldap} {{7*7}}",
        "title:定型机 OR _id:* AND NOT [a TO z]",
        "\u202e\ufeff\u200b定\u200d型\ud800机",
        "👨‍👩‍👧‍👦🇨🇳",
        "ﷺ" * 16,
    ],
)
def test_odd_queries_get_a_sane_answer_quickly(text: str) -> None:
    started = time.monotonic()
    found = run(text, {}, 1, 10, "zh", nothing)
    assert found["total"] == 0 and found["items"] == []
    # Generous: the point is that nothing in the pipeline grows with the square of what is typed.
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("length", [301, 10_000, 1_000_000])
def test_however_long_a_query_is_it_is_refused_before_anything_is_made_of_it(length: int) -> None:
    started = time.process_time()
    with pytest.raises(BadInput):
        run("空鸭机" * (length // 3 + 1), {}, 1, 10, "zh", nothing)
    assert time.process_time() - started < 0.2


def test_every_step_says_what_it_did_and_every_hit_why_it_stands_where_it_does() -> None:
    def ask(service: str, _request: object) -> dict[str, object]:
        payload = {"title": "空压机", "summary": "", "keywords": []}
        hit = {"id": service, "type": "article", "score": 1.0, "payload": payload, "body": "", "matched": ["空压机"]}
        return {"total": 1, "hits": [hit], "facets": {}}

    found = run("空鸭机每小时5度电", {}, 1, 10, "zh", ask, explain=True)
    steps = {each["step"]: each["said"] for each in found["explain"]["steps"]}
    assert steps["recover_slips"] == "空鸭机 → 空压机" and steps["find_amounts"] == "5 kwh/h"
    assert found["items"][0]["matched"] == ["空压机"]
    assert {"words", "type", "intent", "coverage", "overdue"} <= set(found["items"][0]["score_parts"])
    literal = run("空鸭机每小时5度电", {}, 1, 10, "zh", ask, literal=True)
    assert literal["query"]["rewritten"] == "空鸭机每小时5度电"


def test_a_query_that_is_too_long_is_refused_with_the_limit() -> None:
    with pytest.raises(BadInput) as refused:
        run("x" * 301, {}, 1, 10, "zh", nothing)
    assert "300" in refused.value.errors["q"][0]


def test_a_service_that_is_away_is_named_and_the_others_answer() -> None:
    def ask(service: str, _request: object) -> dict[str, object] | None:
        if service == "catalog":
            return None
        hit = {"id": service, "type": "article", "score": 1.0, "payload": {"title": "定型机", "summary": ""}}
        return {"total": 1, "hits": [hit], "facets": {"type": {"article": 1}, "industry": {}, "direction": {}}}

    found = run("定型机", {}, 1, 10, "zh", ask)
    assert found["total"] == 2
    assert "catalog" in found["warnings"][0]
    assert found["facets"]["type"] == {"article": 2}


def test_highlights_are_escaped_and_fold_width_and_case() -> None:
    found = highlighted({"title": "<b>ＭＥＳ</b> & 定型机", "summary": "无"}, ("mes", "定型机", "型机"))
    assert found == {"title": "&lt;b&gt;<mark>ＭＥＳ</mark>&lt;/b&gt; &amp; <mark>定型机</mark>"}


def test_a_long_text_is_shown_where_the_words_are() -> None:
    text = "前" * 500 + "定型机余热回收" + "后" * 500
    found = highlighted({"body": text}, ("定型机", "余热"))
    assert "<mark>定型机余热</mark>" in found["body"] and len(found["body"]) < 200
