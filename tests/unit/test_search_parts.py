"""Parts of the merged search by themselves: slips, suggestions, cursor, merging, records, evaluation."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from services.gateway.logic.search_records import Line, factors, kept_text
from services.gateway.search import cursor, evaluation, words
from services.gateway.search.learning import Learner
from services.gateway.search.merge import by_day, merged
from services.gateway.search.run import understood
from services.gateway.search.suggesting import suggest
from shared.errors import BadInput, DependencyDown
from shared.search.bulk import analysed
from shared.search.highlight import highlighted, matched
from shared.search.port import Document, Lexicon, text_fields

TODAY = date(2026, 11, 25)
LEXICON = Lexicon(
    "1",
    {"印染": 40, "织物": 20, "烘箱": 30, "modbus": 9, "废水": 50, "织造": 50, "引用": 1},
    {"烘箱": 30, "箱温": 20, "织造": 50, "造废": 9, "废水": 50},
)


def hit(row_id: str, score: float, kind: str = "article", **more: Any) -> dict[str, Any]:
    return {"id": row_id, "type": kind, "score": score, "payload": {}, **more}


def answers(*hits: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"catalog": {"total": len(hits), "hits": list(hits), "facets": {}}}


def test_words_of_the_corpus_are_recovered_too_and_question_words_are_not_touched() -> None:
    known = words.learnt([LEXICON])
    assert understood("哄箱温度", known=known)[0].rewritten == "烘箱温度"
    assert understood("哪个烘箱好", known=known)[0].rewritten == ""
    assert understood("织造废水亦常引用", known=known)[0].rewritten == ""


def test_near_homophones_of_dialects_are_recovered() -> None:
    known = words.learnt([Lexicon("1", {"渗碳炉": 30, "碳势": 20}, {"渗碳": 60, "碳炉": 30, "碳势": 20})])
    assert understood("森碳炉碳势", known=known)[0].rewritten == "渗碳炉碳势"


def test_a_latin_slip_is_asked_about_and_never_rewritten() -> None:
    query, _ = understood("modubs 采集", known=words.learnt([LEXICON]))
    assert (query.rewritten, query.suggestion) == ("", "modbus 采集")
    assert understood("kongyaji", known=words.learnt([LEXICON]))[0].suggestion == ""


def test_suggestions_go_on_with_words_of_the_corpus() -> None:
    known = words.learnt([Lexicon("1", {"定型机排风": 9, "定型机": 30}, {})])
    assert {"text": "定型机排风", "type": "term"} in suggest("定型机", known=known)


def test_the_vocabulary_follows_what_services_say_and_keeps_what_a_lost_one_said() -> None:
    said: dict[str, Any] = {"version": "1", "words": {"铝轮毂": 9}, "bigrams": {}}

    def fetch(service: str, have: str) -> dict[str, Any]:
        if service != "catalog":
            raise DependencyDown(dependency=service)
        return {"version": "1"} if have == "1" else said

    learner = Learner(fetch)
    assert "铝轮毂" not in learner.words.counts
    assert learner.look() is True and learner.words.counts["铝轮毂"] == 9
    assert learner.look() is False and learner.words.counts["铝轮毂"] == 9


def test_a_cursor_is_refused_when_it_was_changed_or_belongs_to_another_search() -> None:
    of = cursor.mark_of("断纸", {"type": None}, False)
    written = cursor.Cursor(12.5, "b", 20, of).written()
    assert cursor.read(written, of) == cursor.Cursor(12.5, "b", 20, of)
    other = cursor.mark_of("断纸", {"type": "solution"}, False)
    for wrong in (written[:-4], "x", "", "中文", "W10", written + "AAAA"):
        with pytest.raises(BadInput):
            cursor.read(wrong, of)
    with pytest.raises(BadInput):
        cursor.read(written, other)


def test_what_comes_after_a_cursor_does_not_shift_when_something_is_added_before_it() -> None:
    hits = [hit("a", 3.0), hit("b", 2.0), hit("c", 2.0), hit("d", 1.0)]
    place = cursor.Cursor(2.0, "b", 2, "-")
    assert [each["id"] for each in cursor.after(hits, place)] == ["c", "d"]
    assert [each["id"] for each in cursor.after([hit("new", 9.0), *hits], place)] == ["c", "d"]


def test_an_entry_with_more_of_the_words_stands_before_one_with_an_everyday_word() -> None:
    weights = {"螺栓": 1.0, "自己": 0.3}
    found = merged(
        answers(hit("everyday", 10.0, matched=["自己"]), hit("trade", 9.0, matched=["螺栓"])),
        None,
        TODAY,
        weights=weights,
    )
    assert [each["id"] for each in found] == ["trade", "everyday"]


def test_sorting_by_day_leaves_out_what_fits_badly() -> None:
    old, new, bad = (
        hit("old", 10.0, payload={"last_confirmed": "2026-01-01"}),
        hit("new", 9.0, payload={"last_confirmed": "2026-06-01"}),
        hit("bad", 1.0, payload={"last_confirmed": "2026-11-01"}),
    )
    assert [each["id"] for each in by_day([old, new, bad])] == ["new", "old"]


def test_clicks_move_little_and_the_less_the_fewer_there_are() -> None:
    day = datetime(2026, 11, 1, tzinfo=UTC)
    few = factors([Line("断纸", "a", 1, day)])["断纸"]["a"]
    many = factors([Line("断纸", "a", 1000, day), Line("断纸", "b", 10, day)])["断纸"]
    assert 1 < few < 1.03 and many["b"] < 1.01 and 1.14 < many["a"] <= 1.15
    found = merged(answers(hit("a", 1.0), hit("b", 1.1)), None, TODAY, {"a": many["a"]})
    assert [each["id"] for each in found] == ["a", "b"] and found[0]["parts"]["clicks"] == many["a"]


def test_what_is_kept_of_a_query_names_nobody() -> None:
    assert kept_text("  断纸  找王工 13812345678 或 wang@example.com ") == "断纸 找王工 … 或 …"
    assert len(kept_text("纸" * 300)) == 80


def test_figures_are_those_of_the_textbook() -> None:
    judged = evaluation.Judged("q", "tool", None, "plain", True, {"a": 3, "b": 2, "c": 1})
    perfect = evaluation.Outcome(judged, ("a", "b", "c"), None, 3)
    second = evaluation.Outcome(judged, ("x", "a"), None, 2)
    nothing = evaluation.Outcome(judged, (), None, 0)
    assert (perfect.first, perfect.ndcg) == (1, pytest.approx(1.0))
    assert second.first == 2 and second.ndcg == pytest.approx((7 / 1.5849625) / (7 + 3 / 1.5849625 + 1 / 2))
    found = evaluation.report([perfect, second, nothing])
    assert found["all"]["mrr@10"] == 0.5 and found["all"]["success@1"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["all"]["zero_results"] == pytest.approx(1 / 3, abs=1e-4)
    assert [each["q"] for each in found["failures"]] == ["q"]


def test_only_touching_a_question_is_no_answer() -> None:
    judged = evaluation.Judged("q", "tool", None, "plain", True, {"c": 1, "a": 3})
    assert evaluation.Outcome(judged, ("c", "a"), None, 2).first == 2


def test_a_judged_file_that_cannot_be_read_says_which_entry(tmp_path: Path) -> None:
    path = tmp_path / "judged.yaml"
    for text, said in (
        ("queries: [{q: a}]", "entry 1"),
        ("queries: {}", "list"),
        ("{", "YAML"),
        ("queries: [{q: a, relevant: {x: y}}]", "entry 1"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(evaluation.BadJudgements, match=said):
            evaluation.read(path)


def test_several_processes_analyse_to_the_same_tokens_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [
        Document(f"d{number}", "article", 1, f"定型机余热回收 {number}", body="空压机漏气") for number in range(40)
    ]
    alone = [(document.id, dict(fields)) for document, fields in analysed(documents, 1)]
    monkeypatch.setattr("shared.search.bulk.FEW", 10)
    monkeypatch.setattr("shared.search.bulk.CHUNK", 7)
    assert [(document.id, dict(fields)) for document, fields in analysed(iter(documents), 2)] == alone
    assert alone[3][1] == text_fields(documents[3])


def test_highlights_keep_to_the_original_where_folding_changes_its_length() -> None:
    text = "…㎡ ½ ＭＥＳ系统\nİstanbul mes"
    assert highlighted({"body": text}, ("mes",)) == {"body": "…㎡ ½ <mark>ＭＥＳ</mark>系统\nİstanbul <mark>mes</mark>"}
    assert matched([text], ("mes", "erp")) == ("mes",)


def test_a_snippet_is_the_sentence_that_says_most_and_begins_where_it_begins() -> None:
    filler = "这一段讲别的事情，与所问无关，只是为了让正文足够长。" * 4
    text = (
        f"{filler}定型的时候定型机开着。排风太干时，定型机能耗就高，先量含湿再关小风门。{filler}\n定型拉幅 预定型 定型"
    )
    found = highlighted({"body": text}, ("定型", "定型机", "能耗"))["body"]
    assert found.startswith("…<mark>定型</mark>的时候<mark>定型机</mark>开着。排风太干时，<mark>定型机能耗</mark>就高")
    assert "预定型" not in found


def test_a_snippet_of_a_long_sentence_begins_at_a_comma_and_ends_with_its_line() -> None:
    text = "甲" * 60 + "，" + "乙" * 10 + "空压机" + "丙" * 45 + "\n" + "空压站" * 40
    found = highlighted({"body": text}, ("空压机",))["body"]
    assert found == "…" + "乙" * 10 + "<mark>空压机</mark>" + "丙" * 45 + "…"
