"""The whole judged set on the shipped content: both engines answer the same, and search is as good as promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from services.gateway.search import Wanted, evaluation, run, words
from services.gateway.search.run import understood
from services.gateway.search.words import Words
from shared.search import Document, SearchIndex, open_index
from shared.settings import Settings
from tests import search_corpus

Make = Callable[..., Settings]
Indexes = dict[str, SearchIndex]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Document]]:
    from shared.settings import Secret

    return search_corpus.documents(Settings(home=tmp_path_factory.mktemp("home"), secret=Secret("x" * 64), port=0))


@pytest.fixture(scope="module")
def indexes(
    corpus: dict[str, list[Document]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, SearchIndex]]:
    from shared.settings import Secret

    settings = Settings(home=tmp_path_factory.mktemp("indexes"), secret=Secret("x" * 64), port=0)
    made = {service: open_index(settings, service) for service in corpus}
    for service, index in made.items():
        assert index.rebuild(corpus[service]) == len(corpus[service])
    yield made
    for index in made.values():
        index.close()


@pytest.fixture(scope="module")
def known(indexes: Indexes) -> Words:
    return words.learnt(index.lexicon() for index in indexes.values())


@pytest.fixture(scope="module")
def outcomes(indexes: Indexes, known: Words) -> list[evaluation.Outcome]:
    judged = evaluation.read(search_corpus.JUDGED)
    return evaluation.outcomes(judged, search_corpus.finding(indexes, known))


def test_every_judgement_names_an_entry_that_is_there(corpus: dict[str, list[Document]]) -> None:
    there = {
        evaluation.name_of({"id": each.id, "type": each.type}) for documents in corpus.values() for each in documents
    }
    blind = evaluation.read(search_corpus.BLIND)
    judged = evaluation.read(search_corpus.JUDGED)
    assert {name for each in (*judged, *blind) for name in each.relevant} <= there
    assert len(judged) >= 240 and len({each.text for each in judged}) == len(judged)
    assert 0.4 < sum(each.kept for each in judged) / len(judged) < 0.6


def test_the_answer_is_among_the_first_three_on_the_half_that_was_kept(outcomes: list[evaluation.Outcome]) -> None:
    report = evaluation.report([each for each in outcomes if each.judged.kept])
    assert report["all"]["success@3"] >= 0.95, report["failures"]
    assert report["all"]["zero_results"] == 0


def test_words_of_people_who_never_saw_an_entry_find_it_more_often_than_not(indexes: Indexes, known: Words) -> None:
    """The blind set: written from the content without seeing a result. Whole complaints are its hard part."""
    found = evaluation.outcomes(evaluation.read(search_corpus.BLIND), search_corpus.finding(indexes, known))
    assert evaluation.figures(found)["success@3"] >= 0.75
    complaints = [each for each in found if each.judged.kind == "complaint"]
    assert evaluation.figures(complaints)["success@3"] >= 0.5


def test_slips_of_the_pinyin_keyboard_find_what_was_meant(outcomes: list[evaluation.Outcome]) -> None:
    slips = [each for each in outcomes if each.judged.kind == "homophone"]
    assert evaluation.figures(slips)["success@3"] >= 0.9
    assert sum(each.rewritten is not None for each in slips) / len(slips) >= 0.85


def test_what_is_spelt_right_is_left_alone(
    outcomes: list[evaluation.Outcome], corpus: dict[str, list[Document]], known: Words
) -> None:
    right = [each for each in outcomes if each.judged.kind != "homophone"]
    changed = [each.judged.text for each in right if each.rewritten is not None]
    assert len(changed) / len(right) < 0.01, changed
    # A term's keywords hold its known slips, so its texts are no example of right spelling.
    entries = [each for documents in corpus.values() for each in documents if each.type != "term"]
    texts = {word for each in entries for word in (each.title, *each.keywords)}
    changed = [text for text in sorted(texts)[::7] if understood(text, known=known)[0].rewritten]
    assert len(changed) / (len(texts) / 7) < 0.01, changed


def test_a_question_for_a_number_leads_to_the_tool_with_its_amounts(indexes: Indexes, known: Words) -> None:
    ask = search_corpus.asking(indexes)
    found = run("每小时5吨蒸汽折多少标煤", {}, 1, 10, "zh", ask, known=known)
    assert found["items"][0]["type"] == "component"
    lead = found["leads"][0]
    assert (lead["kind"], lead["inputs"]) == ("tool", {"steam_t": 5.0}) and lead["url"].endswith("?steam_t=5")
    assert run("技改有什么补贴", {}, 1, 10, "zh", ask, known=known)["leads"][0]["url"] == "/subsidy"
    assert run("工厂诊断", {}, 1, 10, "zh", ask, known=known)["leads"][0]["kind"] == "diagnosis"
    assert run("每小时5吨蒸汽折多少标煤", {}, 1, 10, "zh", ask, known=known, literal=True)["leads"] == []


def test_pages_by_number_and_by_cursor_are_the_same_list(indexes: Indexes, known: Words) -> None:
    ask = search_corpus.asking(indexes)

    def entries(service: str, ids: object, _marks: object) -> dict[str, object]:
        found = indexes[service].entries(list(ids), None)  # type: ignore[call-overload]
        hits = [
            {"id": hit.id, "type": hit.type, "score": 0, "payload": dict(hit.payload), "body": ""}
            for hit in found.values()
        ]
        return {"hits": hits}

    by_number = [
        (item["type"], item["id"])
        for page in range(1, 10)
        for item in run("能耗 质量", {}, page, 20, "zh", ask, entries=entries, known=known)["items"]
    ]
    by_cursor: list[tuple[str, str]] = []
    cursor = None
    for _ in range(9):
        wanted = Wanted(cursor=cursor)
        found = run("能耗 质量", {}, 1, 20, "zh", ask, entries=entries, known=known, wanted=wanted)
        by_cursor += [(item["type"], item["id"]) for item in found["items"]]
        cursor = found["next_cursor"]
    assert by_number == by_cursor and len(set(by_number)) == 180


def test_both_engines_answer_every_judged_query_alike(
    corpus: dict[str, list[Document]], indexes: Indexes, known: Words, distributed_settings: Make
) -> None:
    settings = distributed_settings(without=("postgres", "redis"))
    others = {service: open_index(settings, service) for service in corpus}
    try:
        for service, index in others.items():
            assert index.rebuild(corpus[service]) == len(corpus[service])
            kept = index.lexicon()
            assert (kept.words, kept.bigrams) == (indexes[service].lexicon().words, indexes[service].lexicon().bigrams)
        asks = [search_corpus.asking(each) for each in (indexes, others)]
        for judged in evaluation.read(search_corpus.JUDGED):
            one, other = (run(judged.text, {}, 1, 10, "zh", ask, known=known) for ask in asks)
            assert [each["id"] for each in one["items"]] == [each["id"] for each in other["items"]], judged.text
            assert (one["total"], one["facets"]) == (other["total"], other["facets"]), judged.text
    finally:
        for index in others.values():
            index.close()
